"""The process: its threads, their priority, cores, memory, and its stop."""
