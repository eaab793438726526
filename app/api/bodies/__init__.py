"""Request bodies, from bytes to what a schema reads."""
