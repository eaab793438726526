"""Weights and their measurements: formats of files, and the files that Vultus ships."""
