"""`auto` keeps what a gallery rests on, and says what it does and why."""

from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from app.errors import SettingUnusable
from app.gallery.rollout.embedders_in_use import EmbeddersInUse
from app.operations.rollout import embedder_choice
from app.operations.rollout.embedder_choice import ChosenBy, EmbedderChoice, Ground, choose_embedder
from app.settings import Settings
from models.zoo.names import DEFAULT_NETWORK, ZOO_NAMES

Look = Callable[[EmbeddersInUse], None]
OLD, NEW = "dlib-resnet", "facenet-vggface2"


@pytest.fixture(autouse=True)
def _no_choice_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set and removed, so that what a test hands on is removed at its end.
    monkeypatch.setenv("_VULTUS_CHOSEN_EMBEDDER", "")
    monkeypatch.delenv("_VULTUS_CHOSEN_EMBEDDER")


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Say by which embedders the faces of the database are."""

    def set_to(in_use: EmbeddersInUse) -> None:
        monkeypatch.setattr(embedder_choice, "embedders_in_use", lambda *_, **__: in_use)

    return set_to


@pytest.fixture
def default_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedder_choice, "DEFAULT_NETWORK", NEW)
    structlog.reset_defaults()


def _settings(**changes: object) -> Settings:
    return Settings.model_validate({"_env_file": None, **changes})


def _faces(*answering: str, second: tuple[str, ...] = ()) -> EmbeddersInUse:
    return EmbeddersInUse(answering, (*answering, *second))


def _chosen(**changes: object) -> tuple[str, str | None, Ground]:
    choice = choose_embedder(_settings(**changes))
    return choice.name, choice.settings.next.embedder, choice.ground


def test_auto_is_the_setting_where_none_is_given() -> None:
    assert Settings(_env_file=None).embedder == "auto"
    assert DEFAULT_NETWORK in ZOO_NAMES


def test_a_named_embedder_is_taken_without_a_look_at_the_database() -> None:
    settings = _settings(embedder=NEW, database_url="postgresql://127.0.0.1:1/none")
    choice = choose_embedder(settings)
    assert (choice.settings, choice.by) == (settings, ChosenBy.SETTING)


def test_a_database_without_faces_takes_the_default_network(tmp_path: Path) -> None:
    assert _chosen(data_dir=tmp_path) == (DEFAULT_NETWORK, None, Ground.NO_FACES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [OLD, NEW, "trained-here"])
def test_a_database_with_faces_keeps_their_embedder(name: str, holds: Look) -> None:
    holds(_faces(name))
    assert _chosen() == (name, None, Ground.FACES)


def test_of_several_the_one_of_the_most_faces_is_taken(holds: Look) -> None:
    holds(_faces("most", "fewer"))
    assert _chosen() == ("most", None, Ground.FACES)


@pytest.mark.parametrize(
    "in_use",
    [
        _faces(OLD),
        _faces(OLD, second=(NEW,)),  # filled, not switched
        _faces(NEW, second=(OLD,)),  # switched
        _faces(NEW, OLD),  # one collection has gone over, and another one has not
        _faces(OLD, NEW),
    ],
)
def test_both_embedders_run_throughout_a_rollout(in_use: EmbeddersInUse, holds: Look) -> None:
    """Whenever a process is started, so that all processes run the same two."""
    holds(in_use)
    assert _chosen(next={"embedder": NEW}) == (OLD, NEW, Ground.FACES)


def test_after_the_purge_the_next_embedder_serves_with_its_own_weights(holds: Look) -> None:
    holds(_faces("dlib-resnet"))
    following = {"embedder": "dlib-resnet", "weights_path": "new.dat"}
    structlog.reset_defaults()
    with capture_logs() as logs:
        choice = choose_embedder(_settings(next=following))
    assert logs == []  # commands choose as well, and print results alone
    with capture_logs() as logs:
        choice.announce()
    assert [line["event"] for line in logs] == ["next_embedder_serves", "embedder_kept"]
    assert (choice.name, choice.settings.weights_path) == ("dlib-resnet", Path("new.dat"))
    assert choice.settings.next.embedder is None


def test_two_files_of_one_kind_of_network_stay_two(holds: Look) -> None:
    holds(_faces("dlib-resnet"))
    following = {"embedder": "dlib-resnet", "weights_path": "new.dat"}
    choice = choose_embedder(_settings(weights_path="old.dat", next=following))
    assert (choice.name, choice.settings.weights_path) == ("dlib-resnet", Path("old.dat"))
    assert choice.settings.next.weights_path == Path("new.dat")


def test_weights_of_an_unnamed_network_are_refused(tmp_path: Path, holds: Look) -> None:
    weights = tmp_path / "mine.dat"
    with pytest.raises(SettingUnusable, match="name the network whose weights") as caught:
        choose_embedder(_settings(data_dir=tmp_path, weights_path=weights))
    assert caught.value.setting == "VULTUS_EMBEDDER"
    holds(_faces(OLD))
    assert _chosen(weights_path=weights)[0] == OLD


def test_processes_of_one_supervisor_agree_whatever_is_enrolled_meanwhile(holds: Look) -> None:
    holds(_faces())
    choose_embedder(_settings()).hand_on()
    holds(_faces("of-another"))
    later = choose_embedder(_settings())
    assert (later.name, later.ground) == (DEFAULT_NETWORK, Ground.NO_FACES)
    with capture_logs() as logs:
        later.announce()
    assert logs == []  # the supervisor has
    assert choose_embedder(_settings(embedder=NEW)).by is ChosenBy.SETTING


@pytest.mark.usefixtures("default_is_new")
def test_one_line_says_how_to_go_over_from_what_is_kept(holds: Look) -> None:
    holds(_faces(OLD))
    with capture_logs() as logs:
        choose_embedder(_settings()).announce()
    (line,) = logs
    assert (line["event"], line["embedder"], line["default"]) == ("embedder_kept", OLD, NEW)
    for command in (f"reembed --to {NEW}", "reembed shadow", "reembed switch", "upgrading.md"):
        assert command in line["remedy"]


@pytest.mark.usefixtures("default_is_new")
@pytest.mark.parametrize(
    ("in_use", "event"), [(_faces(), "embedder_chosen"), (_faces(NEW), "embedder_kept")]
)
def test_where_there_is_nothing_to_go_over_to_the_line_says_what_was_chosen(
    in_use: EmbeddersInUse, event: str, holds: Look
) -> None:
    holds(in_use)
    with capture_logs() as logs:
        choose_embedder(_settings()).announce()
    (line,) = logs
    assert (line["event"], line["embedder"]) == (event, NEW)
    assert "remedy" not in line


@pytest.mark.usefixtures("default_is_new")
def test_a_fixed_similarity_without_a_named_embedder_is_warned_of(holds: Look) -> None:
    settings = _settings(thresholds={"verify": 0.93, "identify": 0.94})
    for in_use, warned in ((_faces(), True), (_faces(OLD), False)):
        holds(in_use)
        with capture_logs() as logs:
            choose_embedder(settings).announce()
        warnings = [line for line in logs if line["log_level"] == "warning"]
        assert bool(warnings) == warned
        for line in warnings:
            assert line["settings"] == ["VULTUS_THRESHOLDS__VERIFY", "VULTUS_THRESHOLDS__IDENTIFY"]


@pytest.mark.parametrize(
    ("ground", "text"),
    [
        (Ground.NAMED, "x"),
        (
            Ground.FACES,
            "VULTUS_EMBEDDER=auto chose dlib-resnet, as the faces of the database are by it: x",
        ),
    ],
)
def test_an_error_of_the_embedder_says_that_auto_chose_it(ground: Ground, text: str) -> None:
    choice = EmbedderChoice(_settings(embedder=OLD), ground)
    with pytest.raises(SettingUnusable) as caught, choice.explaining():
        raise SettingUnusable("x", setting="VULTUS_WEIGHTS_PATH")
    assert (str(caught.value), caught.value.setting) == (text, "VULTUS_WEIGHTS_PATH")
