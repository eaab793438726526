"""Encryption at rest: the keys, what is sealed under them, and how they are changed."""
