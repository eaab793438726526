"""Open-set identification with a real gallery, through the command line and the HTTP service.

    python -m benchmarks gallery --faces FOLDER [--quick] [--embedder NAME] [--detector NAME]

Enrolls people from one photo each by `vultus enroll-folder` (people whose photo it rejects, mostly
because it shows several faces, are replaced by others), starts `vultus serve`, and identifies the
enrolled people's other photos and a photo each of people who were never enrolled, at the default
threshold. Then removes some people and looks for them at once and after a restart.
"""

import argparse
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from rich.progress import track

from app.settings import Settings
from benchmarks.kit.lfw_data import PHOTO_SIDE_PX, LfwData, lfw_data, person_of
from benchmarks.kit.open_set_rates import OpenSetRates, open_set_rates
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, run_vultus, serving
from models.zoo.names import DEFAULT_NETWORK

_CONNECTIONS = 2
_REMOVED = 25
_SEED = 0
_SOME_REJECTED = 3  # exit status


@dataclass(frozen=True, slots=True)
class Plan:
    """Photos by person: people to enroll, in order, and people who stay strangers."""

    count: int
    candidates: dict[str, list[str]]
    strangers: dict[str, list[str]]


@dataclass(slots=True)
class Enrolled:
    """Photos that were enrolled, one a person, and those that enroll-folder rejected, with why."""

    photos: list[str]
    rejected: list[str]


@dataclass(frozen=True, slots=True)
class Best:
    """The best candidate for a photo's central face; similarity -1 when there was none, or it was
    rejected."""

    external_id: str | None
    similarity: float
    threshold: float
    status: str


def main() -> None:
    parser = benchmark_parser(__doc__, quick="a fifth of the people", faces=True)
    parser.add_argument("--embedder", default=DEFAULT_NETWORK)
    parser.add_argument("--detector", default=Settings().detector.name)
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    plan = _plan(data, *_size(options))
    chosen = {"VULTUS_EMBEDDER": options.embedder, "VULTUS_DETECTOR__NAME": options.detector}
    with tempfile.TemporaryDirectory() as scratch:
        _run(data, plan, Path(scratch), chosen)


def _size(options: argparse.Namespace) -> tuple[int, int]:
    """Numbers of people to enroll and of strangers."""
    if options.smoke:
        return 6, 4
    return (200, 100) if options.quick else (1_000, 500)


def _plan(data: LfwData, enrolled: int, strangers: int) -> Plan:
    people = data.photos_by_person()
    names = sorted(people)
    random.Random(_SEED).shuffle(names)
    return Plan(
        count=enrolled,
        candidates={name: people[name] for name in names[strangers:]},
        strangers={name: people[name] for name in names[:strangers]},
    )


def _run(data: LfwData, plan: Plan, scratch: Path, chosen: Mapping[str, str]) -> None:
    gallery = scratch / "data"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
    environment |= {"VULTUS_DATA_DIR": str(gallery), **chosen}
    enrolled = _enroll(data, plan, scratch, environment)
    probes = [other for photo in enrolled.photos for other in _others(plan, photo)]
    strangers = [photos[0] for photos in plan.strangers.values()]
    with _serving(gallery, chosen) as server:
        known = _identify_all(server.url, data, probes, "enrolled people")
        others = _identify_all(server.url, data, strangers, "strangers")
        count = min(_REMOVED, len(enrolled.photos) // 2)
        removed, kept = enrolled.photos[:count], enrolled.photos[count : 2 * count]
        _remove(server.url, [person_of(photo) for photo in removed])
        found_at_once = _named_as_themselves(server.url, data, removed)
        server.stop()
    with _serving(gallery, chosen) as server:
        found_after_restart = _named_as_themselves(server.url, data, removed)
        kept_after_restart = _named_as_themselves(server.url, data, kept)
    _report(
        enrolled,
        _rates(probes, known, others),
        {
            "embedder": chosen["VULTUS_EMBEDDER"],
            "detector": chosen["VULTUS_DETECTOR__NAME"],
            "probes": len(probes),
            "strangers": len(strangers),
            "threshold": _threshold(known),
            "removed": len(removed),
            "removed_but_found_at_once": found_at_once,
            "removed_but_found_after_restart": found_after_restart,
            "kept": len(kept),
            "kept_and_found_after_restart": kept_after_restart,
            "probes_without_a_face": sum(best.external_id is None for best in [*known, *others]),
        },
    )


def _serving(gallery: Path, chosen: Mapping[str, str]) -> AbstractContextManager[Server]:
    return serving(
        gallery,
        VULTUS_DEVICE="auto",
        VULTUS_EMBEDDER=chosen["VULTUS_EMBEDDER"],
        VULTUS_DETECTOR__NAME=chosen["VULTUS_DETECTOR__NAME"],
    )


def _enroll(data: LfwData, plan: Plan, scratch: Path, environment: dict[str, str]) -> Enrolled:
    """Offer people to enroll-folder until enough are enrolled."""
    enrolled = Enrolled([], [])
    waiting = iter(plan.candidates.values())
    while len(enrolled.photos) < plan.count:
        missing = plan.count - len(enrolled.photos)
        offered = [photos[0] for photos in islice(waiting, missing)]
        if not offered:
            raise RuntimeError(f"only {len(enrolled.photos)} people have a usable first photo")
        folder = scratch / f"people-{len(enrolled.photos)}"
        for photo in offered:
            target = folder / photo
            target.parent.mkdir(parents=True)
            target.symlink_to((data.images / photo).resolve())
        summary = _enroll_folder(folder, environment)
        reasons = {entry["photo"]: ", ".join(entry["reasons"]) for entry in summary["rejected"]}
        enrolled.rejected += reasons.values()
        enrolled.photos += [photo for photo in offered if photo not in reasons]
    return enrolled


def _enroll_folder(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    # Forced: those who look alike are a part of what is measured.
    printed = run_vultus(
        "enroll-folder", folder, "--force", "--json", env=environment, statuses=(0, _SOME_REJECTED)
    )
    summary: dict[str, Any] = json.loads(printed)
    return summary


def _others(plan: Plan, photo: str) -> list[str]:
    return [other for other in plan.candidates[person_of(photo)] if other != photo]


def _identify_all(url: str, data: LfwData, photos: list[str], title: str) -> list[Best]:
    with httpx2.Client(base_url=url, timeout=120) as client:
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            found = pool.map(lambda photo: _identify(client, data.images / photo), photos)
            return list(
                track(found, total=len(photos), description=title, console=console, transient=True)
            )


def _identify(client: httpx2.Client, photo: Path) -> Best:
    answer = client.post(
        "/v1/collections/default/identify",
        files={"image": photo.read_bytes()},
        data={"top_k": "1"},
    )
    faces = answer.raise_for_status().json()["faces"]
    if not faces:
        return Best(None, -1.0, float("nan"), "no face")
    face = min(faces, key=_distance_to_centre)
    if not face["candidates"]:
        return Best(None, -1.0, face["threshold"], face["status"])
    best = face["candidates"][0]
    return Best(best["external_id"], best["similarity"], face["threshold"], face["status"])


def _distance_to_centre(face: dict[str, Any]) -> float:
    x1, y1, x2, y2 = face["box"]
    centre = PHOTO_SIDE_PX / 2
    return float(((x1 + x2) / 2 - centre) ** 2 + ((y1 + y2) / 2 - centre) ** 2)


def _remove(url: str, people: list[str]) -> None:
    with httpx2.Client(base_url=url, timeout=120) as client:
        identities = "/v1/collections/default/identities"
        for person in people:
            listed = client.get(identities, params={"external_id": person}).json()["identities"]
            for identity in listed:
                client.delete(f"{identities}/{identity['id']}").raise_for_status()


def _named_as_themselves(url: str, data: LfwData, photos: list[str]) -> int:
    """Count the photos whose match is the person that they show."""
    found = _identify_all(url, data, photos, "looking for people")
    return sum(
        best.status == "match" and best.external_id == person_of(photo)
        for photo, best in zip(photos, found, strict=True)
    )


def _rates(probes: list[str], known: list[Best], others: list[Best]) -> OpenSetRates:
    right = [best.external_id == person_of(p) for p, best in zip(probes, known, strict=True)]
    return open_set_rates(
        enrolled_similarity=np.array([best.similarity for best in known]),
        enrolled_right=np.array(right),
        other_similarity=np.array([best.similarity for best in others]),
        threshold=_threshold(known),
    )


def _threshold(found: list[Best]) -> float:
    """The service's default, which is in every answer with a face."""
    return next(best.threshold for best in found if best.external_id is not None)


def _report(enrolled: Enrolled, rates: OpenSetRates, rest: dict[str, Any]) -> None:
    reasons = dict(Counter(enrolled.rejected))
    figures = {
        "enrolled": len(enrolled.photos),
        "rejected": reasons,
        "identification_rate": 1.0 - rates.fnir,
        "fnir": rates.fnir,
        "fpir": rates.fpir,
        "misnamed": rates.misnamed,
        **rest,
    }
    print_table(
        f"Open-set identification over HTTP, {rest['embedder']} with {rest['detector']}",
        [
            ("people enrolled from one photo", str(len(enrolled.photos))),
            ("rejected before that", ", ".join(f"{n} {r}" for r, n in reasons.items()) or "none"),
            ("threshold (the default)", f"{rest['threshold']:.4f}"),
            (f"identification rate, {rest['probes']} other photos", f"{1 - rates.fnir:.4f}"),
            ("FNIR, of which with a wrong name", f"{rates.fnir:.4f}, {rates.misnamed:.4f}"),
            (f"false identification rate, {rest['strangers']} strangers", f"{rates.fpir:.4f}"),
            ("probes without a face", str(rest["probes_without_a_face"])),
            (f"of {rest['removed']} removed, found", str(rest["removed_but_found_at_once"])),
            ("found after a restart", str(rest["removed_but_found_after_restart"])),
            (
                f"of {rest['kept']} kept, found after a restart",
                str(rest["kept_and_found_after_restart"]),
            ),
        ],
    )
    print_figures("gallery", figures)
