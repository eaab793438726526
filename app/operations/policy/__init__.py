"""Policy: thresholds, error rates, and the quality that faces must have."""
