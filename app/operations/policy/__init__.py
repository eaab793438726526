"""Decisions: thresholds, error rates, and which faces are good enough."""
