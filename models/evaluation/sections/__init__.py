"""The parts of an evaluation, one protocol each: figures with intervals, and plots."""
