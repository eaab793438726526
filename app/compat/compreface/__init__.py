"""CompreFace 1.2."""
