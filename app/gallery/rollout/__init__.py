"""A collection that goes over from one embedder to the next."""
