"""HTTP: the only package that speaks it, and FastAPI."""
