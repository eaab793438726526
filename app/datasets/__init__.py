"""Photos on disk: listed, embedded and cut, for evaluation, calibration and training."""
