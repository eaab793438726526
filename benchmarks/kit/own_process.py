"""A function in a process of its own, so that its memory and its caches are those of no other."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_own_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function in a new process and return its result, or raise its exception.

    The process is forked from one that has run nothing else, with the environment of the first
    call. Function, arguments and result are pickled.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        return pool.submit(function, *args, **kwargs).result()
