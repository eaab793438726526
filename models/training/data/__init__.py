"""Aligned crops of people: the store, shares of people, draws, changes and batches."""
