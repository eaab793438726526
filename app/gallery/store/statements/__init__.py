"""Parts of statements and of rows that several repositories share."""
