"""How `vultus serve --workers` starts its processes."""

import sys
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, SpawnContext


def process_context() -> ForkServerContext | SpawnContext:
    """On Linux, processes are forks of one that has imported what they need.

    They share the memory of the imports, and each start takes a fifth of the CPU time. That one
    process runs nothing else, so that no lock is held at the time of a fork; its only threads are
    those of OpenBLAS, which ends them before a fork.
    """
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["app.cli.serve.preloaded"])
    return context
