"""What evaluations raise."""


class NotMeasurableError(ValueError):
    """The photos cannot show what is asked for; the text says what is missing."""
