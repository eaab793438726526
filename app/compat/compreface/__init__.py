"""The API of CompreFace 1.2: recognition, detection and verification services."""
