"""Who is enrolled: an SQL database that is the truth, and an index over it that is a cache."""
