"""When Python's garbage collector runs."""

import gc


def collect_after_start() -> None:
    """Switch the collector off until `leave_out_of_collection`.

    A start makes hundreds of thousands of objects that stay. To go through them again and again
    takes a fifth of its CPU time, and there is little to find: a megabyte.
    """
    gc.disable()


def leave_out_of_collection() -> None:
    """Leave all objects that there are now out of collections, and let these begin.

    The objects of libraries and networks live as long as the process. To go through them takes
    0.1 s and more, and stops all threads.
    """
    gc.freeze()
    gc.enable()
