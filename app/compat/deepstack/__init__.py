"""DeepStack, and the face part of CodeProject.AI Server."""
