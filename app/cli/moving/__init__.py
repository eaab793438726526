"""`vultus import-from`: people and their photos come over from other programs."""
