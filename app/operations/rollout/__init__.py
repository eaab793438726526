"""Embedders: the choice of the current one, and the rollout of a collection to another one."""
