"""Enrollment: photos of one person each become faces of the gallery."""
