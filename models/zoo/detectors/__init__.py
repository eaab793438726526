"""Face detectors, and their descriptions."""
