"""The section of failures to enroll, by reason."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from models.evaluation.photos import LabelledPhotos
from models.evaluation.report.report_document import Figure, Section, count, measured
from models.evaluation.statistics.resample import Weights, by_person, shares

_ATTEMPTS = (
    "Rates are over the comparisons that could be made. Some are given again with the failed "
    "attempts, as ISO/IEC 19795-1 separates FNMR from the false rejection rate."
)


def failures_section(photos: LabelledPhotos, weights: Weights) -> Section:
    failed = ~photos.usable
    everyone = photos.person_count
    of_person = by_person(photos.people, everyone)
    figures: list[Figure] = [
        count("photos.count", "photos", len(photos.names)),
        count("photos.people", "people", everyone),
        measured(
            "photos.fte",
            "FTE, share of photos without an embedding",
            float(failed.mean()),
            shares(weights, by_person(photos.people, everyone, failed), of_person),
            independent=everyone,
        ),
    ]
    reasons = Counter(reason for reason in photos.failures if reason is not None)
    figures += [
        count(f"photos.failures.{reason}", f"photos that failed: {reason}", number)
        for reason, number in sorted(reasons.items())
    ]
    without_photo = by_person(photos.people, everyone, photos.usable) == 0
    if without_photo.any():
        figures.append(
            Figure(
                "photos.people_fte",
                "share of people of whom no photo could be embedded",
                float(np.mean(without_photo)),
            )
        )
    return Section(
        "Photos",
        tuple(figures),
        notes=tuple(_notes(photos)),
    )


def _notes(photos: LabelledPhotos) -> Iterator[str]:
    if not photos.usable.all():
        yield _ATTEMPTS
    alike = len(photos.sha256) - len(set(photos.sha256))
    if alike:
        yield (
            f"Photos that are the same file as another: {alike}. Those of one person improve the "
            "figures; for those of two people, a label is wrong."
        )
