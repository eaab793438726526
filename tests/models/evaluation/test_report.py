"""Whole evaluations of made-up people: figures, failures, JSON, page and comparison."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.errors import NotAReportError, NotMeasurableError
from models.evaluation.options import EvaluationOptions, Protocol
from models.evaluation.photos import Groups, LabelledPhotos
from models.evaluation.protocols.cross_validation import cross_validated_accuracy
from models.evaluation.report import compare_reports as compare
from models.evaluation.report import report_document as document
from models.evaluation.report import report_page as page
from models.evaluation.report import report_text as text
from models.evaluation.report.report_document import Figure, Report, as_json
from models.evaluation.run import evaluate, possible_protocols
from models.evaluation.statistics.curves import auc, fmr_at, fnmr_at, threshold_at_fmr
from models.evaluation.statistics.scores import compare_all, pair_scores
from tests.models.evaluation.factories import photos_of

PEOPLE = [n % 40 for n in range(200)]
OPTIONS = EvaluationOptions(
    verify_thresholds=(0.5,), identify_thresholds=(0.6,), replicates=200, fmrs=(1e-1, 1e-2)
)
ABOUT = {"model": {"name": "made-up", "digest": "0" * 64, "dimension": 6}}


def _pairs() -> list[tuple[int, int, int]]:
    """Genuine and impostor pairs in turns, in four folds."""
    return [(n, (n + 40 + n % 2) % 200, n % 4) for n in range(160)]


def _photos(*, failed: tuple[int, ...] = (), seed: int = 0, spread: float = 0.9) -> LabelledPhotos:
    groups = [0, 1] * 20
    return photos_of(PEOPLE, failed=failed, groups=groups, pairs=_pairs(), seed=seed, spread=spread)


def _report(photos: LabelledPhotos, options: EvaluationOptions = OPTIONS) -> Report:
    return evaluate(photos, options, protocols=possible_protocols(photos), about=ABOUT)


def _figures(report: Report) -> dict[str, Figure]:
    return {figure.key: figure for figure in report.figures()}


@pytest.fixture(scope="module")
def report() -> Report:
    return _report(_photos())


def test_every_protocol_that_the_photos_allow_is_measured(report: Report) -> None:
    sections = {key.split(".")[0] for key in _figures(report)}
    assert sections == {
        "photos", "pairs", "all_pairs", "groups", "closed_set", "open_set", "clusters",
    }  # fmt: skip
    keys = [figure.key for figure in report.figures()]
    assert len(keys) == len(set(keys))


def test_figures_of_all_pairs_are_those_of_the_curves(report: Report) -> None:
    photos, found = _photos(), _figures(report)
    scores = pair_scores(compare_all(photos.embeddings, photos.people))
    assert found["all_pairs.auc"].value == pytest.approx(auc(scores))
    threshold = threshold_at_fmr(scores.impostor, 1e-2)
    assert found["all_pairs.threshold_at_fmr.1e-2"].value == pytest.approx(threshold)
    expected = fnmr_at(scores.genuine, threshold)
    assert found["all_pairs.fnmr_at_fmr.1e-2"].value == pytest.approx(expected)
    assert found["all_pairs.fmr_at.0.5000"].value == pytest.approx(fmr_at(scores.impostor, 0.5))


def test_every_interval_holds_its_figure(report: Report) -> None:
    with_intervals = [one for one in report.figures() if one.interval is not None]
    assert len(with_intervals) > 30
    for figure in with_intervals:
        assert figure.interval is not None
        low, high = figure.interval
        assert low - 1e-9 <= figure.value <= high + 1e-9, figure.key


def test_accuracy_is_cross_validated_and_failed_pairs_are_non_matches() -> None:
    photos = _photos(failed=(3, 44))
    assert photos.pairs is not None
    left, right, folds = photos.pairs.left, photos.pairs.right, photos.pairs.folds
    assert folds is not None
    similarity = np.sum(photos.embeddings[left] * photos.embeddings[right], axis=1)
    made = photos.usable[left] & photos.usable[right]
    same = photos.people[left] == photos.people[right]
    found = _figures(evaluate(photos, OPTIONS, protocols=[Protocol.PAIRS], about=ABOUT))
    expected = cross_validated_accuracy(np.where(made, similarity, -1.0), same, folds)
    assert found["pairs.accuracy"].value == pytest.approx(expected.mean)
    of_compared = cross_validated_accuracy(similarity[made], same[made], folds[made])
    assert found["pairs.accuracy_of_compared"].value == pytest.approx(of_compared.mean)
    assert found["pairs.not_compared"].value == (~made).sum() > 0


def test_failures_to_enroll_are_told_apart_and_count_where_it_says_so() -> None:
    failed = (0, 1, 45, 81)  # the photos to be enrolled of the people 0 and 1, and two probes
    photos = _photos(failed=failed)
    found = _figures(_report(photos))
    assert found["photos.fte"].value == pytest.approx(4 / 200)
    assert found["photos.failures.no_face"].value == 4
    fnmr, frr = (found[f"all_pairs.{rate}_at_fmr.1e-2"].value for rate in ("fnmr", "frr"))
    # Each person has 5 photos, 10 genuine pairs; a failed photo spoils 4 of them, two spoil 7.
    assert frr == pytest.approx(1 - (1 - fnmr) * (400 - 4 - 7 - 4) / 400)
    assert found["all_pairs.genuine_pairs"].value == 400 - 4 - 7 - 4
    # Without an enrolled photo, the people 0 and 1 are not in the gallery.
    assert found["closed_set.enrolled_people"].value == 38
    assert found["closed_set.probes"].value == 160 - 8 - 1
    with_failures = found["closed_set.rank.1.with_failures"].value
    assert with_failures == pytest.approx(found["closed_set.rank.1"].value * 151 / 160)


def test_the_same_file_twice_is_told(report: Report) -> None:
    assert report.sections[0].notes == ()
    photos = _photos()
    twice = replace(photos, sha256=(*photos.sha256[:-1], photos.sha256[0]))
    told = evaluate(twice, OPTIONS, protocols=[], about=ABOUT)
    assert told.sections[0].notes[0].startswith("Photos that are the same file as another: 1.")


def test_no_figure_tells_of_failures_where_there_are_none(report: Report) -> None:
    assert not [key for key in _figures(report) if "frr" in key or "with_failures" in key]


def test_what_cannot_be_measured_is_said() -> None:
    single = photos_of(list(range(30)))
    assert possible_protocols(single) == ()
    with pytest.raises(NotMeasurableError, match="none of one kind"):
        evaluate(single, OPTIONS, protocols=[Protocol.ALL_PAIRS], about=ABOUT)
    told = evaluate(single, OPTIONS, protocols=[Protocol.GROUPS], about=ABOUT, strict=False)
    assert told.sections[1].notes == (
        "Not measured: rates by group need the groups of the people.",
    )
    nothing = photos_of([0, 0, 1], failed=(0, 1, 2))
    with pytest.raises(NotMeasurableError, match="no photo gives an embedding"):
        evaluate(nothing, OPTIONS, protocols=[Protocol.ALL_PAIRS], about=ABOUT)


def test_the_json_is_strict_and_whole(report: Report) -> None:
    written = json.dumps(as_json(report), allow_nan=False)
    read = json.loads(written)
    assert read["format"] == document.FORMAT
    assert set(read["figures"]) == set(_figures(report))
    assert len(read["replicates"]["all_pairs.auc"]) == OPTIONS.replicates
    listed = [key for section in read["sections"] for key in section["figures"]]
    assert listed == list(read["figures"])


def test_the_page_needs_nothing_else_and_escapes_what_it_shows() -> None:
    photos = photos_of(PEOPLE, groups=[0, 1] * 20, spread=0.9)
    assert photos.groups is not None
    hostile = Groups(("<script>", "b"), photos.groups.of)
    report = _report(replace(photos, groups=hostile))
    made = page.as_page(report)
    assert not re.findall(r"""(?:src|href)=["'](?!data:image/png;base64,)""", made)
    assert "://" not in made
    assert "<script>" not in made
    assert "&lt;script&gt;" in made
    plots = sum(len(section.plots) for section in report.sections)
    assert made.count("data:image/png;base64,iVBOR") == plots > 4


def test_a_run_differs_from_itself_by_nothing(report: Report) -> None:
    whole = as_json(report)
    done = compare.compare(whole, json.loads(json.dumps(whole)))
    assert done.unpaired is None
    assert {one.key for one in done.differences} == set(whole["figures"])
    for one in done.differences:
        assert one.difference == 0
        assert not one.certain
        assert one.interval in (None, (0.0, 0.0))


def test_paired_runs_tell_a_difference_that_their_own_intervals_do_not(report: Report) -> None:
    """A slightly worse network on the same photos: its errors are on much the same people."""
    photos = _photos()
    noise = np.random.default_rng(0).normal(size=photos.embeddings.shape) * 0.06
    worse = photos.embeddings + noise
    worse /= np.linalg.norm(worse, axis=1, keepdims=True)
    second = _report(replace(photos, embeddings=worse.astype(np.float32)))
    done = compare.compare(as_json(second), as_json(report))
    auc_of = next(one for one in done.differences if one.key == "all_pairs.auc")
    own = _figures(report)["all_pairs.auc"].interval
    assert own is not None
    assert auc_of.interval is not None
    assert auc_of.interval[1] - auc_of.interval[0] < (own[1] - own[0]) / 2
    assert auc_of.interval[0] <= auc_of.difference <= auc_of.interval[1]


@pytest.mark.parametrize(
    ("options", "failed", "people", "reason"),
    [
        (OPTIONS, (5,), PEOPLE, None),  # failures are part of what is compared
        (OPTIONS, (), [*PEOPLE[:-1], 3], "not on the same photos"),
        (EvaluationOptions(replicates=200, seed=1), (), PEOPLE, "differ in seed"),
    ],
)
def test_runs_are_paired_only_on_the_same_photos_and_draws(
    report: Report,
    options: EvaluationOptions,
    failed: tuple[int, ...],
    people: list[int],
    reason: str | None,
) -> None:
    photos = photos_of(people, failed=failed, pairs=_pairs(), spread=0.9)
    if reason and "photos" in reason:
        photos = photos_of(people, spread=0.9)
    other = evaluate(photos, options, protocols=[Protocol.ALL_PAIRS], about=ABOUT)
    done = compare.compare(as_json(other), as_json(report))
    assert done.differences
    if reason is None:
        assert done.unpaired is None
        assert any(one.interval for one in done.differences)
    else:
        assert done.unpaired is not None
        assert reason in done.unpaired
        assert not any(one.interval for one in done.differences)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"format": "vultus-evaluation/0", "figures": {}, "about": {}, "replicates": {}},
        {"format": "vultus-evaluation/1", "figures": {}, "about": {}},  # as --json prints it
    ],
)
def test_what_is_no_report_is_not_compared_with(report: Report, other: dict[str, object]) -> None:
    with pytest.raises(NotAReportError):
        compare.compare(as_json(report), other)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (0.99926, "share", "0.99926"),
        (1.0, "share", "1.0000"),
        (0.0395, "share", "0.0395"),
        (0.00019, "share", "1.9e-04"),
        (0.0, "share", "0.0000"),
        (1234567.0, "count", "1,234,567"),
        (float("inf"), "ratio", "infinite"),
        (0.9283, "similarity", "0.9283"),
    ],
)
def test_figures_are_written_as_the_field_does(
    value: float, kind: document.Kind, expected: str
) -> None:
    assert text.value(Figure("key", "title", value, kind)) == expected
