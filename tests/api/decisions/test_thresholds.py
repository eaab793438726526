"""Where the threshold of an answer comes from."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import StartupError, ThresholdRequired
from app.gallery.collection_options import DecisionOptions
from app.gallery.records import Searched
from app.operations.policy.thresholds import Thresholds
from app.recognition.types import ModelId
from app.services.known_thresholds import (
    calibration_files,
    default_thresholds,
    known_map,
    next_thresholds,
)
from app.settings import Settings
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.architectures import Recipe
from models.zoo.cards import NetworkCard, write_card
from models.zoo.network import Network
from models.zoo.registered import networks_dir
from models.zoo.registry import DLIB_RESNET

assert DLIB_RESNET.calibration is not None
MAP: SimilarityMap = DLIB_RESNET.calibration
RULES = Thresholds(embedder="net", map=MAP, target_fmr=1e-3, target_fpir=0.01, margin=0.01)
FEW, MANY = Searched(people=2, faces=2), Searched(people=10_000, faces=10_000)


def test_the_requests_threshold_wins() -> None:
    chosen = replace(RULES, verify=0.5, identify=0.6)
    assert chosen.for_verify(0.0) == 0.0
    assert chosen.for_identify(0.0, searched=MANY) == 0.0


def test_the_requests_rate_wins_over_a_fixed_similarity() -> None:
    chosen = replace(RULES, verify=0.5, identify=0.6)
    assert chosen.for_verify(target_fmr=1e-4) == MAP.threshold(1e-4)
    assert chosen.for_identify(target_fpir=0.1, searched=MANY) == RULES.for_identify(
        target_fpir=0.1, searched=MANY
    )


def test_defaults_are_those_of_the_rates() -> None:
    assert RULES.for_verify() == MAP.threshold(1e-3)
    found = RULES.for_identify(searched=MANY)
    assert MAP.fpir(found, people=10_000, faces=10_000).value == pytest.approx(0.01, rel=1e-3)


def test_threshold_grows_with_the_gallery_and_with_the_looks() -> None:
    sizes = [RULES.for_identify(target_fpir=0.01, searched=Searched(n, n)) for n in (1, 10, 1000)]
    assert sizes == sorted(set(sizes))
    once = RULES.for_identify(target_fpir=0.01, searched=MANY)
    assert RULES.for_identify(target_fpir=0.01, searched=MANY, looks=2) > once


def test_default_is_never_lower_than_verifys_unless_the_rate_was_chosen() -> None:
    assert RULES.for_identify(searched=FEW) == RULES.for_verify()
    assert RULES.for_identify(target_fpir=0.01, searched=FEW) < RULES.for_verify()
    assert replace(RULES, cautious=False).for_identify(searched=FEW) < RULES.for_verify()
    assert RULES.of(DecisionOptions(target_fpir=0.01), None).for_identify(searched=FEW) < (
        RULES.for_verify()
    )


def test_default_is_never_lower_than_verifys_for_as_many_examples() -> None:
    searched = Searched(people=5, faces=40)
    assert RULES.for_identify(searched=searched) >= RULES.for_verify(examples=8)


def test_person_of_several_examples_wants_a_higher_similarity_at_the_same_rate() -> None:
    one, five = RULES.for_verify(), RULES.for_verify(examples=5)
    assert five > one
    rate = RULES.fmr(five, examples=5)
    assert rate is not None
    assert rate.value == pytest.approx(1e-3, rel=1e-3)


def test_collection_may_decide_otherwise() -> None:
    fixed = replace(RULES, verify=0.5, identify=0.6)
    assert fixed.of(DecisionOptions(), None) == fixed
    own = fixed.of(DecisionOptions(target_fmr=1e-5, target_fpir=0.1, margin=0.0), None)
    assert own.for_verify() == MAP.threshold(1e-5)
    assert own.for_identify(searched=MANY) == RULES.for_identify(target_fpir=0.1, searched=MANY)
    assert own.margin == 0.0
    similar = RULES.of(DecisionOptions(verify_threshold=0.0, identify_threshold=0.7), None)
    assert (similar.for_verify(), similar.for_identify(searched=MANY)) == (0.0, 0.7)
    stricter = replace(MAP, log_fmr=tuple(min(0.0, value + 1) for value in MAP.log_fmr))
    assert RULES.of(DecisionOptions(), stricter).for_verify() > RULES.for_verify()


def test_margin_is_a_share_of_a_decade_of_the_calibration_in_use() -> None:
    found = replace(RULES, margin=None)
    assert found.find_margin() == pytest.approx(0.005, abs=2e-4)  # as dlib-resnet always had it
    assert found.of(DecisionOptions(margin=0.0), None).find_margin() == 0.0
    wider = replace(MAP, similarities=tuple(1 - 0.5 * (1 - s) for s in MAP.similarities))
    assert found.of(DecisionOptions(), wider).find_margin() == pytest.approx(
        0.5 * found.find_margin()
    )
    assert RULES.of(DecisionOptions(), wider).find_margin() == RULES.margin
    assert replace(found, map=None).find_margin() == 0.005


def test_similarity_that_the_settings_fix_is_not_on_the_scale_of_the_next_embedder(
    network: Network, tmp_path: Path
) -> None:
    fixed = Settings(data_dir=tmp_path, thresholds={"verify": 0.02, "identify": 0.03})
    ours = default_thresholds(fixed, network)
    assert (ours.verify, ours.identify) == (0.02, 0.03)
    following = next_thresholds(fixed, network)
    assert (following.verify, following.identify) == (None, None)


def test_without_a_measurement_a_threshold_is_required() -> None:
    unmeasured = replace(RULES, map=None)
    with pytest.raises(ThresholdRequired) as caught:
        unmeasured.for_verify()
    assert caught.value.settings == "VULTUS_THRESHOLDS__VERIFY"
    with pytest.raises(ThresholdRequired) as caught:
        unmeasured.require_identify(None, None)
    assert caught.value.settings == "VULTUS_THRESHOLDS__IDENTIFY"
    with pytest.raises(ThresholdRequired, match="were not measured"):
        unmeasured.for_identify(target_fpir=0.1, searched=FEW)
    unmeasured.require_identify(0.5, None)
    assert unmeasured.fmr(0.5) is None
    assert unmeasured.fpir(0.5, FEW) is None


def test_settings_choose_rates_or_similarities(network: Network, tmp_path: Path) -> None:
    plain = default_thresholds(Settings(data_dir=tmp_path), network)
    assert plain.map == network.spec.calibration
    assert (plain.verify, plain.identify, plain.cautious) == (None, None, True)
    chosen = Settings(data_dir=tmp_path, thresholds={"verify": 0.0, "target_fpir": 0.02})
    mixed = default_thresholds(chosen, network)
    assert (mixed.verify, mixed.target_fpir, mixed.cautious) == (0.0, 0.02, False)


def test_calibration_of_a_registered_network_is_that_of_its_card(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    model = ModelId("ours", "b" * 64, DLIB_RESNET.dimension)
    measured = replace(MAP, embedder=model.name, digest=model.digest)
    card = NetworkCard(
        name=model.name,
        digest=model.digest,
        recipe=Recipe("dlib-resnet", 150, 128, 128),
        dimension=model.dimension,
        input=DLIB_RESNET.input,
        mirror_average=True,
        description="trained here",
        license="ours",
        made="2026-01-01T00:00:00+00:00",
        calibration=measured.to_json(),
    )
    folder = networks_dir(settings.resolved_weights_dir)
    folder.mkdir(parents=True)
    write_card(folder / "ours.json", card)
    found = known_map(settings, model)
    assert found is not None
    assert found.threshold(1e-3) == pytest.approx(MAP.threshold(1e-3))
    assert known_map(settings, replace(model, digest="c" * 64)) is None
    assert known_map(settings, replace(model, name="theirs")) is None
    (folder / "ours.json").write_text("{")
    with pytest.raises(StartupError, match="add the network again"):
        known_map(settings, model)


def test_calibration_measured_here_wins_and_a_damaged_one_stops_the_start(
    network: Network, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    own = replace(MAP, digest=network.digest, source="here")
    path = calibration_files(settings).save(own)
    found = default_thresholds(settings, network).map
    assert found is not None
    assert found.source == "here"
    assert found.threshold(1e-3) == pytest.approx(MAP.threshold(1e-3))
    for damaged in ("{", "[]", "{}", path.read_text(encoding="utf-8").replace("[-1.0", "[1.0")):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(StartupError, match="calibrate again"):
            default_thresholds(settings, network)
