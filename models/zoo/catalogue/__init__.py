"""Networks that others publish: a card for each in `entries/`, and the fetched files."""
