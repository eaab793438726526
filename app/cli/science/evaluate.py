"""`vultus evaluate`."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from app.cli.output import errors, print_json, results
from app.cli.science.embed_photos import embed_listing, rule_for
from app.cli.science.train_packages import require_train_packages
from app.cli.session import with_recognizer
from app.datasets.photo_listing import PhotoListing, read_listing
from app.datasets.subject_rule import SubjectRule
from app.errors import InvalidRequest
from app.gallery.records import Searched
from app.recognition.pipeline import Recognizer
from app.services.known_thresholds import default_thresholds
from app.settings import Settings
from models.evaluation.errors import NotMeasurableError
from models.evaluation.options import EvaluationOptions, Protocol
from models.evaluation.photos import LabelledPhotos
from models.zoo.network import Network

if TYPE_CHECKING:
    from models.evaluation.report.report_document import Report

_DEFAULTS = EvaluationOptions()


def evaluate(
    *,
    source: Path,
    pairs: Path | None,
    groups: Path | None,
    protocol: list[Protocol] | None,
    faces: SubjectRule | None,
    threshold: list[float] | None,
    fmr: list[float] | None,
    fpir: list[float] | None,
    enroll: int,
    enrolled_share: float,
    replicates: int,
    seed: int,
    out: Path | None,
    against: Path | None,
    embedder: str | None,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Measure on your own photos how well faces are told apart, with confidence intervals."""
    require_train_packages("evaluate")
    listing = read_listing(source, pairs=pairs, groups=groups)
    if protocol is not None and set(protocol) == {Protocol.PAIRS}:
        listing = listing.only_paired()
    earlier = None if against is None else _read_report(against)
    rule = rule_for(listing, faces)

    async def use(
        settings: Settings, network: Network, recognizer: Recognizer
    ) -> tuple[LabelledPhotos, EvaluationOptions, dict[str, Any]]:
        folder = cache or settings.data_dir / "evaluation"
        photos = await embed_listing(listing, folder, settings, network, recognizer, rule)
        defaults = default_thresholds(settings, network)
        people = int(photos.person_count * enrolled_share)
        searched = Searched(people=people, faces=people * enroll)
        options = EvaluationOptions(
            verify_thresholds=_thresholds(threshold, defaults.find_verify()),
            identify_thresholds=_thresholds(threshold, defaults.find_identify(searched)),
            fmrs=_rates(fmr, _DEFAULTS.fmrs, "--fmr"),
            fpirs=_rates(fpir, _DEFAULTS.fpirs, "--fpir"),
            enroll_photos=enroll,
            enrolled_share=enrolled_share,
            replicates=replicates,
            seed=seed,
        )
        return photos, options, _about(settings, network, rule)

    photos, options, about = with_recognizer(use, embedder=embedder)
    report = _measure(listing, photos, options, protocol, about)
    _tell(report, earlier, out, as_json=as_json)


def _measure(
    listing: PhotoListing,
    photos: LabelledPhotos,
    options: EvaluationOptions,
    asked: Sequence[Protocol] | None,
    about: dict[str, Any],
) -> "Report":
    # Here, because what it draws and clusters with takes seconds to import.
    from models.evaluation.run import evaluate as measure  # noqa: PLC0415
    from models.evaluation.run import possible_protocols  # noqa: PLC0415

    possible = possible_protocols(photos)
    if not listing.people_known:
        possible = tuple(one for one in possible if one is Protocol.PAIRS)
        if asked is not None and set(asked) != {Protocol.PAIRS}:
            raise InvalidRequest(
                "a list of pairs alone does not tell who else is the same: it allows only "
                "--protocol pairs; list the photos as photo,person for the others"
            )
    if not possible and not asked:
        raise InvalidRequest(
            f"with {photos.person_count} people and {int(photos.usable.sum())} photos with a face "
            "there is nothing to compare: it takes two people, one of them with two photos"
        )
    try:
        with errors.status("measuring") as status:
            return measure(
                photos,
                options,
                protocols=asked or possible,
                about=about,
                strict=asked is not None,
                progress=lambda name: status.update(f"measuring: {name}"),
            )
    except NotMeasurableError as error:
        raise InvalidRequest(str(error)) from error


def _tell(
    report: "Report", earlier: dict[str, Any] | None, out: Path | None, *, as_json: bool
) -> None:
    from app.cli.science.evaluate_tables import print_tables  # noqa: PLC0415
    from models.evaluation.report import compare_reports as compare  # noqa: PLC0415
    from models.evaluation.report import report_document as document  # noqa: PLC0415
    from models.evaluation.report import report_page as page  # noqa: PLC0415

    whole = document.as_json(report)
    comparison = None
    if earlier is not None:
        try:
            comparison = compare.compare(whole, earlier)
        except compare.NotAReportError as error:
            raise InvalidRequest(f"--against: {error}") from error
        whole["comparison"] = compare.as_json(comparison, earlier)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.json").write_text(json.dumps(whole), encoding="utf-8")
        (out / "report.html").write_text(page.as_page(report, comparison), encoding="utf-8")
    if as_json:
        del whole["replicates"]  # many numbers, of use only to a later run
        print_json(whole)
    else:
        print_tables(report, comparison)
        if out is not None:
            results.print(f"{out / 'report.html'}", soft_wrap=True)


def _read_report(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"--against: {path} is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise InvalidRequest(f"--against: {path} is no report of vultus evaluate")
    return read


def _thresholds(asked: Sequence[float] | None, default: float | None) -> tuple[float, ...]:
    if asked:
        return tuple(sorted(set(asked)))
    return () if default is None else (default,)


def _rates(
    asked: Sequence[float] | None, default: tuple[float, ...], option: str
) -> tuple[float, ...]:
    if not asked:
        return default
    if not all(0 < rate < 1 for rate in asked):
        raise typer.BadParameter(f"{option}: a rate lies between 0 and 1")
    return tuple(sorted(set(asked), reverse=True))


def _about(settings: Settings, network: Network, rule: SubjectRule) -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("vultus"),
        "model": {
            "name": network.spec.name,
            "digest": network.digest,
            "dimension": network.spec.dimension,
        },
        "detector": settings.detector.model_dump(),
        "faces": rule.value,
    }
