"""Parts of each step of training: learning rates, draws, processes, checkpoints."""
