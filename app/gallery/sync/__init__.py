"""What keeps the indexes in step with the database."""
