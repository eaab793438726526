"""How networks run: backends, sessions, graphs and the options of a run."""
