"""Train embedding networks: data, losses, the trainer, and what it leaves behind."""
