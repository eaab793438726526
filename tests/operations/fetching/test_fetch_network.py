"""A network of the catalogue gets its name only when it is what its card says."""

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.errors import (
    DigestUnknown,
    FetchFailed,
    FileNotAsPinned,
    LicenseNotAccepted,
    NotInCatalogue,
    SourceUnavailable,
)
from app.operations.fetching import fetch_network as fetching
from app.operations.fetching.download import Patience
from app.operations.fetching.fetch_network import Fetched, Places, fetch_network
from models.zoo.catalogue.entry import find_entry
from models.zoo.catalogue.fetched import catalogue_dir, find_receipt
from tests.kit.catalogue_cards import HOST, card, catalogue_of, sha256
from tests.kit.weights_server import WeightsServer, serving

CONTENT = bytes(range(256)) * 200
OTHER = bytes(reversed(CONTENT))
AT_ONCE = Patience(connect_s=5, silence_s=5, pauses_s=(0,))


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


PACK = _zip(
    {
        "../../../escaped.onnx": b"a file that must not be written",
        "pack/one.onnx": CONTENT,
        "pack/two.onnx": OTHER,
        "pack/unwanted.onnx": b"not of the catalogue",
    }
)


def _archive(member: str, file: str = "pack.zip", content: bytes = PACK) -> dict[str, Any]:
    return {
        "url": f"{HOST}/releases/{file}",
        "member": member,
        "bytes": len(content),
        "sha256": sha256(content),
    }


BOMB = _zip({"bomb.onnx": bytes(2_000_000)})
TWICE = _zip({"a/twice.onnx": CONTENT, "b/twice.onnx": CONTENT})

CARDS = (
    card("free", content=CONTENT, sources=[{"url": f"{HOST}/free.onnx"}]),
    card("research", content=CONTENT, sources=[{"url": f"{HOST}/free.onnx"}], commercial="no"),
    card("unclear", content=CONTENT, sources=[{"url": f"{HOST}/free.onnx"}], commercial="unclear"),
    card("unpinned", content=None, sources=[{"url": f"{HOST}/free.onnx"}]),
    card(
        "second-source",
        content=CONTENT,
        sources=[{"url": f"{HOST}/gone.onnx"}, {"url": f"{HOST}/free.onnx"}],
    ),
    card("packed-one", content=CONTENT, sources=[_archive("one.onnx")]),
    card("packed-two", content=OTHER, sources=[_archive("two.onnx")]),
    card("packed-none", content=CONTENT, sources=[_archive("none.onnx")], commercial="no"),
    card("packed-other", content=OTHER, sources=[_archive("one.onnx")], commercial="no"),
    card("escaping", content=None, sources=[_archive("escaped.onnx")], commercial="no"),
    card("bomb", content=CONTENT, sources=[_archive("bomb.onnx", "bomb.zip", BOMB)]),
    card("twice", content=CONTENT, sources=[_archive("twice.onnx", "twice.zip", TWICE)]),
    card("no-zip", content=CONTENT, sources=[_archive("x.onnx", "no.zip", CONTENT)]),
)


@pytest.fixture(scope="module", autouse=True)
def _cards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with catalogue_of(tmp_path_factory.mktemp("cards"), *CARDS):
        yield


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with serving() as started:
        started.behaviour.files = {
            "/weights.example/free.onnx": CONTENT,
            "/weights.example/releases/pack.zip": PACK,
            "/weights.example/releases/bomb.zip": BOMB,
            "/weights.example/releases/twice.zip": TWICE,
            "/weights.example/releases/no.zip": CONTENT,
        }
        yield started


class _Watcher:
    def __init__(self) -> None:
        self.sources: list[str] = []
        self.waited = Event()

    def source(self, where: str) -> None:
        self.sources.append(where)

    def progress(self, done: int, total: int | None) -> None:
        assert total is None or done <= total

    def retry(self, reason: str, wait_s: float) -> None:
        assert reason
        assert wait_s == 0

    def waiting(self) -> None:
        self.waited.set()


def _places(folder: Path, server: WeightsServer) -> Places:
    return Places(folder, mirror=server.url, patience=AT_ONCE)


def _fetch(name: str, places: Places, **options: Any) -> Fetched:
    return fetch_network(name, places, _Watcher(), **options)


def _names(folder: Path) -> set[str]:
    """The names in the folder, without locks."""
    return {
        path.name for path in catalogue_dir(folder).rglob("*") if not path.name.endswith(".lock")
    }


def test_a_file_is_fetched_from_the_mirror_and_noted(tmp_path: Path, server: WeightsServer) -> None:
    fetched = _fetch("free", _places(tmp_path, server))
    assert fetched.new
    assert fetched.path.read_bytes() == CONTENT
    assert _names(tmp_path) == {"free.onnx", "free.json"}
    entry = find_entry("free")
    assert entry is not None
    receipt = find_receipt(entry, tmp_path)
    assert receipt == fetched.receipt
    assert receipt.sha256 == sha256(CONTENT)
    assert receipt.source == f"{server.url}/weights.example/free.onnx"
    assert receipt.license_accepted is None


def test_a_file_that_is_here_is_not_fetched_again(tmp_path: Path, server: WeightsServer) -> None:
    _fetch("free", _places(tmp_path, server))
    again = _fetch("free", _places(tmp_path, server))
    assert not again.new
    assert len(server.behaviour.answered) == 1


def test_a_file_that_was_damaged_later_is_fetched_again(
    tmp_path: Path, server: WeightsServer
) -> None:
    path = _fetch("free", _places(tmp_path, server)).path
    path.write_bytes(OTHER)
    assert _fetch("free", _places(tmp_path, server)).new
    assert path.read_bytes() == CONTENT


def test_another_content_gets_no_name_and_leaves_nothing(
    tmp_path: Path, server: WeightsServer
) -> None:
    server.behaviour.files["/weights.example/free.onnx"] = OTHER
    with pytest.raises(FileNotAsPinned, match=sha256(OTHER)):
        _fetch("free", _places(tmp_path, server))
    assert _names(tmp_path) == set()


def test_a_part_of_other_content_is_replaced_by_the_whole_file(
    tmp_path: Path, server: WeightsServer
) -> None:
    server.behaviour.etag = None
    server.behaviour.files["/weights.example/free.onnx"] = OTHER
    server.behaviour.cuts = [1_000, 0]
    with pytest.raises(SourceUnavailable):
        _fetch("free", _places(tmp_path, server))
    assert ".free.onnx.part" in _names(tmp_path)
    server.behaviour.files["/weights.example/free.onnx"] = CONTENT
    assert _fetch("free", _places(tmp_path, server)).path.read_bytes() == CONTENT


def test_an_interrupted_fetch_goes_on_in_the_next_run(
    tmp_path: Path, server: WeightsServer
) -> None:
    server.behaviour.cuts = [20_000, 0]
    with pytest.raises(SourceUnavailable):
        _fetch("free", _places(tmp_path, server))
    _fetch("free", _places(tmp_path, server))
    assert server.behaviour.sent() == len(CONTENT)
    assert _names(tmp_path) == {"free.onnx", "free.json"}


def test_the_next_source_is_tried_where_the_first_is_gone(
    tmp_path: Path, server: WeightsServer
) -> None:
    assert _fetch("second-source", _places(tmp_path, server)).path.read_bytes() == CONTENT
    assert [one.status for one in server.behaviour.answered] == [404, 200]


@pytest.mark.parametrize("name", ["research", "unclear"])
def test_a_licence_that_does_not_allow_commercial_use_has_to_be_accepted(
    tmp_path: Path, server: WeightsServer, name: str
) -> None:
    with pytest.raises(LicenseNotAccepted, match=f"{HOST}/LICENSE"):
        _fetch(name, _places(tmp_path, server))
    assert server.behaviour.answered == []
    fetched = _fetch(name, _places(tmp_path, server), accept_license=True)
    assert fetched.receipt.license == "a licence"
    assert fetched.receipt.license_accepted == fetched.receipt.fetched


def test_without_a_stated_digest_one_has_to_be_given(tmp_path: Path, server: WeightsServer) -> None:
    with pytest.raises(DigestUnknown):
        _fetch("unpinned", _places(tmp_path, server))
    assert server.behaviour.answered == []
    with pytest.raises(FileNotAsPinned):
        _fetch("unpinned", _places(tmp_path, server), sha256=sha256(OTHER))
    fetched = _fetch("unpinned", _places(tmp_path, server), sha256=sha256(CONTENT))
    assert fetched.path.read_bytes() == CONTENT
    assert not _fetch("unpinned", _places(tmp_path, server)).new


def test_a_digest_against_the_pinned_one_is_refused(tmp_path: Path, server: WeightsServer) -> None:
    with pytest.raises(FetchFailed, match="the catalogue pins") as raised:
        _fetch("free", _places(tmp_path, server), sha256=sha256(OTHER))
    assert not isinstance(raised.value, FileNotAsPinned)  # no file has been looked at
    assert server.behaviour.answered == []


def test_an_unknown_name_is_answered_with_the_nearest(
    tmp_path: Path, server: WeightsServer
) -> None:
    with pytest.raises(NotInCatalogue, match=r"did you mean research\?"):
        _fetch("reserch", _places(tmp_path, server))


def test_of_an_archive_the_wanted_files_alone_are_extracted(
    tmp_path: Path, server: WeightsServer
) -> None:
    fetched = _fetch("packed-one", _places(tmp_path / "weights", server))
    assert fetched.path.read_bytes() == CONTENT
    assert fetched.along == ("packed-two",)
    assert _names(tmp_path / "weights") == {
        "packed-one.onnx",
        "packed-one.json",
        "packed-two.onnx",
        "packed-two.json",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]
    assert not _fetch("packed-two", _places(tmp_path / "weights", server)).new
    assert len(server.behaviour.answered) == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("packed-none", "holds 0 files none.onnx"),
        ("packed-other", sha256(CONTENT)),
        ("bomb", "has more than"),
        ("twice", "holds 2 files twice.onnx"),
        ("no-zip", "cannot be read as a zip archive"),
        ("escaping", "holds 0 files escaped.onnx"),
    ],
)
def test_an_archive_that_is_not_as_pinned_leaves_nothing(
    tmp_path: Path, server: WeightsServer, name: str, why: str
) -> None:
    with pytest.raises(FileNotAsPinned, match=why):
        _fetch(name, _places(tmp_path / "weights", server), accept_license=True)
    assert _names(tmp_path / "weights") == set()
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


@pytest.mark.parametrize("file", ["free.onnx", "pack.zip", "one.onnx", "packed-one.onnx"])
def test_a_folder_is_taken_from_without_any_download(
    tmp_path: Path, server: WeightsServer, file: str
) -> None:
    offline = tmp_path / "offline"
    offline.mkdir()
    (offline / file).write_bytes(PACK if file == "pack.zip" else CONTENT)
    name = "free" if file == "free.onnx" else "packed-one"
    fetched = _fetch(name, Places(tmp_path / "weights", mirror=server.url, folder=offline))
    assert fetched.path.read_bytes() == CONTENT
    assert fetched.receipt.source.startswith(str(offline / file))
    assert (offline / file).exists()
    assert server.behaviour.answered == []


def test_a_folder_without_the_file_or_with_another_is_an_error(tmp_path: Path) -> None:
    offline = tmp_path / "offline"
    places = Places(tmp_path / "weights", folder=offline)
    with pytest.raises(FetchFailed, match=f"there is no folder {offline}"):
        _fetch("free", places)
    offline.mkdir()
    with pytest.raises(FetchFailed, match=r"none of free\.onnx") as raised:
        _fetch("free", places)
    assert not isinstance(raised.value, SourceUnavailable)  # whose remedy is about servers
    (offline / "free.onnx").write_bytes(OTHER)
    with pytest.raises(FileNotAsPinned, match="another file"):
        _fetch("free", places)
    assert _names(tmp_path / "weights") == set()


def test_two_at_once_download_once(tmp_path: Path, server: WeightsServer) -> None:
    server.behaviour.hold = Event()
    first, second = _Watcher(), _Watcher()
    places = _places(tmp_path, server)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(fetch_network, "free", places, first)
        two = threads.submit(fetch_network, "free", places, second)
        while not (first.waited.is_set() or second.waited.wait(0.01)):
            assert not one.done()
        server.behaviour.hold.set()
        found = [one.result(), two.result()]
    assert sorted(fetched.new for fetched in found) == [False, True]
    assert len(server.behaviour.answered) == 1


def test_a_disk_without_room_is_refused_before_the_download(
    tmp_path: Path, server: WeightsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(FetchFailed, match="no room"):
        _fetch("free", _places(tmp_path, server))
    assert server.behaviour.answered == []
