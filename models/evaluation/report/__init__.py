"""What an evaluation says: as values, as JSON, as a page, and against an earlier one."""
