"""People and their faces: enrolment, corrections, erasure."""
