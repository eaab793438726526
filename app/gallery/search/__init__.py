"""From the nearest faces of an index to the nearest people, and what decisions rest on."""
