"""Tests; their folders mirror those of `app` and `models`.

This file is imported before any library that has threads of its own. The tests run in as many
processes as there are cores, so that more threads would only wait for each other. Processes that
tests start inherit these variables.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
