"""Face embedding networks: the zoo that serves them and the evaluation that measures them."""
