"""Weights and what is measured on them: the formats of files, and what Vultus ships."""
