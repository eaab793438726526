"""Networks that find faces, and what is known of each."""
