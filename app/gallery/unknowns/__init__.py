"""The inbox of unknown faces."""
