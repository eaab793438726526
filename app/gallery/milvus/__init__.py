"""Milvus as a gallery's index: the connection, its collections, and how they follow the log."""
