"""Similarity maps: error rates of a similarity, measured on photos of known people."""
