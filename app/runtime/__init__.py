"""What the process runs on: threads, memory, priorities, the moment it stops."""
