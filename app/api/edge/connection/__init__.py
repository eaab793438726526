"""Limits on connections, and what uvicorn's HTTP protocol lacks."""
