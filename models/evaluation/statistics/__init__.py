"""Error rates, their intervals over people, and the counts that they follow from."""
