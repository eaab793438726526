"""Embedding networks that the service can load, one file a network."""
