"""How good a photo of a face is, after the components of ISO/IEC 29794-5."""
