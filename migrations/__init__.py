"""Alembic migrations of the gallery's database."""
