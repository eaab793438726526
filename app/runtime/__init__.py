"""Help for the event loop, threads and memory of a process."""
