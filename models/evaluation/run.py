"""An evaluation: from photos of known people to a report."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np

from models.evaluation.errors import NotMeasurableError
from models.evaluation.options import EvaluationOptions, Protocol
from models.evaluation.photos import LabelledPhotos
from models.evaluation.report.report_document import Report, Section
from models.evaluation.sections.closed_set_section import closed_set_section
from models.evaluation.sections.clusters_section import clusters_section
from models.evaluation.sections.failures_section import failures_section
from models.evaluation.sections.groups_section import groups_section
from models.evaluation.sections.open_set_section import open_set_section
from models.evaluation.sections.pairs_section import (
    all_pairs_section,
    listed_pairs_section,
    verify_all_pairs,
)
from models.evaluation.statistics.resample import draw_people


def evaluate(
    photos: LabelledPhotos,
    options: EvaluationOptions,
    *,
    protocols: Collection[Protocol],
    about: Mapping[str, Any],
    strict: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measure by each protocol. `progress` takes the name of each protocol when it begins.

    Raises NotMeasurableError where the photos are not sufficient for a protocol; if not `strict`,
    the report says instead what is missing.
    """
    if not photos.usable.any():
        raise NotMeasurableError("no photo gives an embedding")
    # Over all people, so that the draw does not depend on the failures of a network.
    weights = draw_people(photos.person_count, replicates=options.replicates, seed=options.seed)
    all_pairs = cache(lambda: verify_all_pairs(photos, weights, options))

    def by_group() -> Section:
        if photos.groups is None:
            raise NotMeasurableError("rates by group need the groups of the people")
        return groups_section(all_pairs(), photos.groups, options)

    measures: dict[Protocol, Callable[[], Section]] = {
        Protocol.PAIRS: lambda: listed_pairs_section(photos, weights, options),
        Protocol.ALL_PAIRS: lambda: all_pairs_section(all_pairs(), options),
        Protocol.GROUPS: by_group,
        Protocol.CLOSED_SET: lambda: closed_set_section(photos, weights, options),
        Protocol.OPEN_SET: lambda: open_set_section(photos, weights, options),
        Protocol.CLUSTERS: lambda: clusters_section(photos, options),
    }
    sections = [failures_section(photos, weights)]
    for protocol, measure in measures.items():
        if protocol not in protocols:
            continue
        progress(protocol.value)
        try:
            sections.append(measure())
        except NotMeasurableError as error:
            if strict:
                raise
            sections.append(Section(protocol.value, (), notes=(f"Not measured: {error}.",)))
    return Report({**about, **_about(photos, options)}, tuple(sections))


def possible_protocols(photos: LabelledPhotos) -> tuple[Protocol, ...]:
    """The protocols that the photos are sufficient for."""
    counts = np.bincount(photos.people[photos.usable], minlength=photos.person_count)
    several, different = bool((counts > 1).any()), int((counts > 0).sum()) > 1
    found = []
    if photos.pairs is not None:
        found.append(Protocol.PAIRS)
    if several and different:
        found += [Protocol.ALL_PAIRS, Protocol.CLOSED_SET, Protocol.OPEN_SET, Protocol.CLUSTERS]
        if photos.groups is not None:
            found.append(Protocol.GROUPS)
    return tuple(found)


def _about(photos: LabelledPhotos, options: EvaluationOptions) -> dict[str, Any]:
    return {
        "photos_digest": photos.digest(),
        "pairs_digest": photos.pairs_digest(),
        "options": asdict(options),
        "failures": [
            {"photo": name, "reason": reason}
            for name, reason in zip(photos.names, photos.failures, strict=True)
            if reason is not None
        ],
    }
