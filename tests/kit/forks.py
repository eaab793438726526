"""Processes that are forked from one that has imported the libraries of a server and done no more.

A process that imports them itself spends 3 s of CPU time on that.
"""

from multiprocessing import get_context

# There is one process to fork from for each process of the tests: `benchmarks crash` shares it.
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.kit.forked_imports"])
