"""Vector indexes: who is near a probe. A cache of the database, never the truth."""
