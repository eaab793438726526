"""Forward passes of networks: backends, sessions, graphs and the options of a run."""
