"""A person's right of access: find and read what is held of them."""
