"""What is kept of the delivery of events: how far each target is, and what failed."""
