"""Embedders: which one serves, and how a collection goes over to another one."""
