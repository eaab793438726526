"""Liveness: the probability that a camera saw the face itself, and not a picture of it."""
