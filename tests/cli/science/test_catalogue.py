"""From the catalogue to a served network, as docs/networks.md describes it, on real photos."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.cli.remedies import TERMINAL
from app.cli.serve.start_checks import require_startable
from app.errors import (
    FetchFailed,
    LicenseNotAccepted,
    NetworkNotFetched,
    NotInCatalogue,
    VultusError,
)
from app.main import create_app
from app.services import build_services
from app.settings import Settings
from models.zoo.catalogue.entry import catalogue
from models.zoo.names import DEFAULT_NETWORK
from scripts.second_network import write_second_network
from tests.cli.people import write_two_people
from tests.kit import photos
from tests.kit.catalogue_cards import HOST, card, catalogue_of, sha256
from tests.kit.weights_server import WeightsServer, serving

RUN = CliRunner()
DEFAULT = "/v1/collections/default"
SURE = {"threshold": "0.95"}
"""The error rates of the fetched network were not measured."""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A network that is about as good as the default one, and compares with nothing of it."""
    path = tmp_path_factory.mktemp("networks") / "second.onnx"
    write_second_network(path)
    return path.read_bytes()


@pytest.fixture
def server(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WeightsServer]:
    """The catalogue has the network `second`, for research alone, and the mirror its file."""
    made = card(
        "second",
        content=content,
        sources=[{"url": f"{HOST}/second.onnx"}],
        commercial="no",
        dimension=128,
        size_px=172,
        mean=[0.0, 0.0, 0.0],
        std=[1.0, 1.0, 1.0],
    )
    with catalogue_of(tmp_path / "cards", made), serving() as started:
        started.behaviour.files["/weights.example/second.onnx"] = content
        monkeypatch.setenv("VULTUS_CATALOGUE__MIRROR", started.url)
        yield started


def _run(*arguments: str | Path) -> Result:
    result = RUN.invoke(cli, [*map(str, arguments)])
    if isinstance(result.exception, VultusError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def _json(*arguments: str | Path) -> Any:
    return json.loads(_run(*arguments, "--json").stdout)


def _who(client: TestClient, photo: bytes) -> tuple[str, str]:
    """The person's name, and the network that says so."""
    answer = client.post(f"{DEFAULT}/identify", files={"image": photo}, data=SURE).json()
    (face,) = answer["faces"]
    return face["identity"]["name"], answer["model"]["name"]


def test_a_gallery_goes_over_to_a_network_of_the_catalogue(
    server: WeightsServer, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = write_two_people(tmp_path / "people")
    for photo in people.glob("*/3.jpg"):
        photo.unlink()  # which show no face, or two
    settings = Settings()
    with TestClient(create_app(settings, build_services(settings))) as before:
        for person in sorted(people.iterdir()):
            files = [("images", photo.read_bytes()) for photo in sorted(person.iterdir())]
            answer = before.post(f"{DEFAULT}/identities", data={"name": person.name}, files=files)
            assert answer.status_code == 201, answer.text
    with pytest.raises(LicenseNotAccepted):
        _run("models", "fetch", "second")
    with pytest.raises(NetworkNotFetched, match="second"):
        _json("evaluate", people, "--embedder", "second")

    fetched = _json("models", "fetch", "second", "--accept-license")
    assert (fetched["sha256"], fetched["new"]) == (sha256(content), True)
    report = _json("evaluate", people, "--embedder", "second")
    assert report["figures"]["closed_set.rank.1"]["value"] == 1
    done = _json("reembed", "--to", "second", "--photos", people)
    assert (done["faces"], done["without_second"]) == (4, 0)
    monkeypatch.setenv("VULTUS_NEXT__EMBEDDER", "second")
    settings = Settings()
    with TestClient(create_app(settings, build_services(settings))) as client:
        grace = photos.encoded(photos.another_photo(photos.hopper()))
        assert _who(client, grace) == ("Grace", DEFAULT_NETWORK)
        assert _json("reembed", "switch", "--force")["serving"]["name"] == "second"
        assert _who(client, grace) == ("Grace", "second")
        (known,) = (
            one for one in client.get("/v1/models").json()["models"] if one["name"] == "second"
        )
        assert (known["dimension"], known["license"]) == (128, "a licence; no commercial use")
    assert server.behaviour.sent() == len(content)


def test_the_table_says_what_is_here_and_under_which_terms(server: WeightsServer) -> None:
    (before,) = _json("models", "catalogue")
    assert (before["name"], before["kind"], before["fetched"]) == ("second", "embedder", None)
    assert (before["license"]["commercial"], before["needs_acceptance"]) == ("no", True)
    _run("models", "fetch", "second", "--accept-license")
    after = _json("models", "catalogue", "second")
    assert after["fetched"]["source"] == f"{server.url}/weights.example/second.onnx"
    assert after["fetched"]["license_accepted"]
    (row,) = (line for line in _run("models", "catalogue").stdout.splitlines() if "second" in line)
    assert "yes" in row
    page = _run("models", "catalogue", "second").stdout
    assert f"{HOST}/LICENSE" in page
    assert f"{HOST}/second.onnx" in page
    assert "second" in _run("models", "list").stdout


def test_the_licence_is_shown_before_it_is_asked_for(server: WeightsServer) -> None:
    refused = RUN.invoke(cli, ["models", "fetch", "second"])
    assert isinstance(refused.exception, LicenseNotAccepted)
    assert "what it allows" in refused.stderr
    assert server.behaviour.answered == []


def test_each_card_of_the_product_is_printed_whole() -> None:
    for name, entry in catalogue().items():
        page = _run("models", "catalogue", name).stdout
        assert "…" not in page
        unfolded = "".join(page.split())
        for fact in (entry.license.url, entry.sha256 or "", *(one.url for one in entry.sources)):
            assert fact in unfolded
    listed = {one["name"] for one in _json("models", "catalogue")}
    assert listed == set(catalogue())
    with pytest.raises(NotInCatalogue):
        _run("models", "catalogue", "nothing")


@pytest.mark.parametrize("arguments", [["--sha256", "12"], ["--mirror", "ftp://x"]])
def test_options_that_are_no_digest_and_no_url_are_refused(arguments: list[str]) -> None:
    done = RUN.invoke(cli, ["models", "fetch", "auraface-v1", *arguments])
    assert done.exit_code == 2


def test_a_start_without_the_file_names_the_command(tmp_path: Path) -> None:
    settings = Settings(embedder="arcface-w600k-r50", data_dir=tmp_path / "data")
    with pytest.raises(NetworkNotFetched) as raised:
        require_startable(settings, "127.0.0.1", 0)
    assert TERMINAL.detail(raised.value) == (
        "the network arcface-w600k-r50 is in the catalogue, but its file is not here; run: vultus "
        "models fetch arcface-w600k-r50 --accept-license"
    )


def test_a_fetch_without_a_terminal_prints_no_bar(server: WeightsServer) -> None:
    done = _run("models", "fetch", "second", "--accept-license")
    assert done.stderr.splitlines() == [
        "a licence: what it allows",
        f"The licence: {HOST}/LICENSE",
        f"from {server.url}/weights.example/second.onnx",
    ]


def test_a_mirror_on_the_command_line_goes_before_the_folder_of_the_settings(
    server: WeightsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_CATALOGUE__FOLDER", str(tmp_path))
    with pytest.raises(FetchFailed, match="holds none of second"):
        _run("models", "fetch", "second", "--accept-license")
    _run("models", "fetch", "second", "--accept-license", "--mirror", server.url)
    assert len(server.behaviour.answered) == 1
