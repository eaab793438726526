"""Errors of evaluations."""


class NotMeasurableError(ValueError):
    """The photos are not sufficient for a measurement; the text says what is missing."""


class NotAReportError(ValueError):
    """A document is not the report of an evaluation, or not a complete one."""
