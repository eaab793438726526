"""`vultus serve` and `vultus top`: start the service, and watch it."""
