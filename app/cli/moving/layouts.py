"""How other programs keep their folders of people. Imports nothing heavy: help texts need it."""

from enum import StrEnum


class Layout(StrEnum):
    """How a program keeps its folders."""

    AUTO = "auto"
    PLAIN = "plain"
    DOUBLE_TAKE = "double-take"
    FRIGATE = "frigate"
