"""Searches: the nearest people by the nearest faces, and what decisions rest on."""
