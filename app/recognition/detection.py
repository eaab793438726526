"""Options of finding the faces of a photo. This imports nothing heavy, as commands import it to
print their help."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detection:
    """Options of finding faces.

    `min_score`: the least score (0 to 1, the detector's own) that is reported as a face; None: that
    of the settings. With `is_crop`, nothing is searched: the photo is one face that fills it, and
    `min_score` is of no effect.
    """

    min_score: float | None = None
    is_crop: bool = False


BY_SETTINGS = Detection()
