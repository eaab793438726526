"""Recognition: image bytes to embeddings. `pipeline.Recognizer` is the entrance."""
