"""The sections of a report, one for each protocol: figures with intervals, and plots."""
