"""`vultus import-from`."""
