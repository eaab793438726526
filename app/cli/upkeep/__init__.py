"""Commands that look after what is stored: collections, database, index, archives, rollouts."""
