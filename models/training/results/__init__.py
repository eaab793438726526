"""What a run leaves behind: its folder, its figures, and comparisons of runs."""
