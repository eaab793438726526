"""The demo: a service with sample photos in a temporary folder, apart from the user's own data."""
