"""Deliver events to targets, such as webhooks: at least once, and in order for each subject."""
