"""Accuracy of embeddings, in the terms of ISO/IEC 19795-1."""
