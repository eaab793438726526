"""The results of a run: its folder, its figures, and comparisons of runs."""
