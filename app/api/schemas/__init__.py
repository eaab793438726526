"""Bodies and answers of the routes. A file has the name of the last word of its URLs."""
