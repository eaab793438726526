"""Networks: the zoo that serves them, their evaluation and their training."""
