"""What evaluations raise."""


class NotMeasurableError(ValueError):
    """The photos cannot show what is asked for; the text says what is missing."""


class NotAReportError(ValueError):
    """A document is not the report of an evaluation, or not a whole one."""
