"""The face operations of Amazon Rekognition (2016-06-27)."""
