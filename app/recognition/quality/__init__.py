"""The quality of a photo of a face, by components of ISO/IEC 29794-5."""
