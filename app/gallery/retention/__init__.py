"""Retention: by which clock people and others whose time is over are erased."""
