"""Commands that measure accuracy, and that make, fetch and list networks."""
