"""Aligned crops of people: kept on disk, shared out, drawn, changed and fed to a network."""
