"""Identification (1:N) and verification (1:1) of faces."""
