"""Liveness: how likely a camera saw the face itself and not a picture of it."""
