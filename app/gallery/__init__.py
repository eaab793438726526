"""The enrolled people: an SQL database that is the truth, and an index of it that is a cache."""
