"""What was changed and read, by whom: the audit log, chained line by line."""
