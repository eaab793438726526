"""`vultus evaluate`."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.library_errors import library_errors
from app.cli.output import errors, show
from app.cli.science.embed_photos import embed_listing
from app.cli.science.train_packages import require_report_packages
from app.cli.session import Loaded, loaded_networks
from app.datasets.photo_listing import PhotoListing, read_listing
from app.datasets.photo_source import PhotoSource
from app.errors import InvalidRequest
from app.gallery.records import Searched
from app.services.known_thresholds import default_thresholds
from models.evaluation.options import EvaluationOptions, Protocol
from models.evaluation.photos import LabelledPhotos

if TYPE_CHECKING:
    from models.evaluation.report.report_document import Report


def evaluate(
    source: PhotoSource,
    options: EvaluationOptions,
    protocols: Sequence[Protocol] | None,
    *,
    embedder: str | None,
    cache: Path | None,
    out: Path | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Measure recognition on photos. Without thresholds in the options, the service's are used."""
    require_report_packages("evaluate")
    listing = read_listing(source)
    if protocols is not None and set(protocols) == {Protocol.PAIRS}:
        listing = listing.only_paired()
    earlier = None if against is None else _read_report(against)
    with loaded_networks(embedder=embedder) as loaded:
        photos = asyncio.run(embed_listing(loaded, listing, cache))
    options = _with_thresholds(options, loaded, photos)
    with library_errors():
        report = _measure(listing, photos, options, protocols, _about(loaded, listing))
        _show(report, earlier, out, as_json=as_json)


def _with_thresholds(
    options: EvaluationOptions, loaded: Loaded, photos: LabelledPhotos
) -> EvaluationOptions:
    if options.verify_thresholds:
        return options
    service = default_thresholds(loaded.settings, loaded.network)
    people = int(photos.person_count * options.enrolled_share)
    searched = Searched(people=people, faces=people * options.enroll_photos)
    verify, identify = service.find_verify(), service.find_identify(searched)
    return replace(
        options,
        verify_thresholds=() if verify is None else (verify,),
        identify_thresholds=() if identify is None else (identify,),
    )


def _measure(
    listing: PhotoListing,
    photos: LabelledPhotos,
    options: EvaluationOptions,
    asked: Sequence[Protocol] | None,
    about: dict[str, Any],
) -> "Report":
    # Imported here, because its plots and clusters take seconds to import.
    from models.evaluation.run import evaluate as measure  # noqa: PLC0415
    from models.evaluation.run import possible_protocols  # noqa: PLC0415

    possible = possible_protocols(photos)
    if not listing.people_known:
        possible = tuple(one for one in possible if one is Protocol.PAIRS)
        if asked is not None and set(asked) != {Protocol.PAIRS}:
            raise InvalidRequest(
                "a list of pairs does not say which other photos show the same person, and allows "
                "only --protocol pairs; list the photos as photo,person for the others"
            )
    if not possible and not asked:
        raise InvalidRequest(
            f"with {photos.person_count} people and {int(photos.usable.sum())} photos with a face "
            "there is nothing to compare: it takes two people, one of them with two photos"
        )
    with errors.status("measuring") as status:
        return measure(
            photos,
            options,
            protocols=asked or possible,
            about=about,
            strict=asked is not None,
            progress=lambda name: status.update(f"measuring: {name}"),
        )


def _show(
    report: "Report", earlier: dict[str, Any] | None, out: Path | None, *, as_json: bool
) -> None:
    from app.cli.science.evaluate_tables import evaluation_tables  # noqa: PLC0415  (as above)
    from models.evaluation.report import compare_reports as compare  # noqa: PLC0415
    from models.evaluation.report import report_document as document  # noqa: PLC0415
    from models.evaluation.report import report_page as page  # noqa: PLC0415

    whole = document.as_json(report)
    comparison = None
    if earlier is not None:
        comparison = compare.compare(whole, earlier)
        whole["comparison"] = compare.as_json(comparison, earlier)
    written = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(json.dumps(whole), encoding="utf-8")
        (out / "report.html").write_text(page.as_page(report, comparison), encoding="utf-8")
        written = [str(out / "report.html")]
    del whole["replicates"]  # many numbers, of use only to a later run
    show(whole, *evaluation_tables(report, comparison), *written, as_json=as_json)


def _read_report(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"--against: {path} is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise InvalidRequest(f"--against: {path} is no report of vultus evaluate")
    return read


def _about(loaded: Loaded, listing: PhotoListing) -> dict[str, Any]:
    network = loaded.network
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("vultus"),
        "model": {
            "name": network.spec.name,
            "digest": network.digest,
            "dimension": network.spec.dimension,
        },
        "detector": loaded.settings.detector.model_dump(),
        "faces": listing.subject.value,
    }
