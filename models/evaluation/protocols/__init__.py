"""The protocols of the field, as functions on embeddings."""
