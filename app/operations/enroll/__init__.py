"""Enrollment: photos of a person become faces of the gallery."""
