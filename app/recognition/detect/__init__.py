"""Face detectors: what all have in common, and each by its name."""
