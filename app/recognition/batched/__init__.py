"""A batch of photos in a few large operations of PyTorch, on a GPU."""
