"""Synchronization of the indexes with the database."""
