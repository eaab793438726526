"""Training of embedding networks: data, losses, the trainer, and its results."""
