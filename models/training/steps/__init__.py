"""What happens at each step of training: learning rates, draws, processes, checkpoints."""
