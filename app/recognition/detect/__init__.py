"""Face detectors: what all of them share, and a module for each."""
