"""How well embeddings tell people apart, in the terms of ISO/IEC 19795-1."""
