"""Vector indexes: the faces near a probe. A cache of the database, never the truth."""
