"""What is read of CompreFace, from a server that answers as it does."""

import pytest

from app.cli.moving.compreface_requests import CompreFaceRequests
from app.cli.moving.compreface_source import ask_compreface
from app.cli.moving.source import PhotoNotGivenError
from app.errors import InvalidRequest, OtherServiceRefused, OtherServiceUnavailable
from tests.cli.moving.fake_compreface import KEY, FakeCompreFace, serving


def requests_to(url: str, key: str = KEY) -> tuple[CompreFaceRequests, list[float]]:
    """Requests that note their pauses in place of waiting."""
    pauses: list[float] = []
    return CompreFaceRequests(url, key, wait=pauses.append), pauses


def test_subjects_come_with_their_photos_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.moving.compreface_source._PAGE_SIZE", 2)
    photos = {"Ada": {"a1": b"one", "a2": b"two"}, "Zoë/1": {}, "Bob": {"b1": b"three"}}
    with serving(FakeCompreFace(photos)) as fake:
        server, _ = requests_to(fake.url + "/api/v1/")
        counts: list[tuple[int, int | None]] = []
        source = ask_compreface(
            server, most_bytes=99, on_faces=lambda done, total: counts.append((done, total))
        )
        found = {
            name: {photo.label: photo.read() for photo in own}
            for name, own in source.people.items()
        }
    assert found == {
        "Ada": {"compreface:a1": b"one", "compreface:a2": b"two"},
        "Zoë/1": {},
        "Bob": {"compreface:b1": b"three"},
    }
    assert counts == [(2, 3), (3, 3)]


def test_a_photo_that_is_not_saved_is_named_alone() -> None:
    with serving(FakeCompreFace({"Ada": {"a1": b"", "a2": b"two"}})) as fake:
        source = ask_compreface(requests_to(fake.url)[0], most_bytes=99)
        missing, there = source.people["Ada"]
        with pytest.raises(PhotoNotGivenError, match="save_images_to_db") as refused:
            missing.read()
        assert refused.value.reason == "not_saved"
        assert there.read() == b"two"


def test_a_photo_is_cut_off_where_it_is_too_large_anyway() -> None:
    with serving(FakeCompreFace({"Ada": {"a1": b"x" * 1_000}})) as fake:
        source = ask_compreface(requests_to(fake.url)[0], most_bytes=99)
        assert len(source.people["Ada"][0].read()) == 100


def test_a_busy_server_is_asked_again_and_one_that_stays_so_is_named() -> None:
    with serving(FakeCompreFace({"Ada": {"a1": b"one"}}, failures=[503, 500])) as fake:
        server, pauses = requests_to(fake.url)
        (photo,) = ask_compreface(server, most_bytes=99).people["Ada"]
        assert photo.read() == b"one"
        assert pauses == [1.0, 2.0]
        fake.failures = [503] * 9
        with pytest.raises(OtherServiceUnavailable, match="status 503"):
            photo.read()
    server, pauses = requests_to(fake.url)  # it is gone
    with pytest.raises(OtherServiceUnavailable, match="no connection"):
        ask_compreface(server, most_bytes=99)
    assert len(pauses) == 4


@pytest.mark.parametrize("key", ["wrong", ""])
def test_a_wrong_key_is_refused_and_not_repeated(key: str) -> None:
    with (
        serving(FakeCompreFace({})) as fake,
        pytest.raises(OtherServiceRefused, match="refuses the key") as refused,
    ):
        ask_compreface(requests_to(fake.url, key)[0], most_bytes=99)
    assert "wrong" not in str(refused.value)


def test_a_server_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (
        b"<html>",
        b'{"subjects": 7}',
        b'{"subjects": [], "faces": [{"image_id": "../x", "subject": "a"}]}',
        b"[]",
        b"",
    ):
        monkeypatch.setattr(FakeCompreFace, "answer", lambda *_, body=body: (200, body))
        with (
            serving(FakeCompreFace({})) as fake,
            pytest.raises(OtherServiceRefused, match="does not answer as CompreFace does"),
        ):
            ask_compreface(requests_to(fake.url)[0], most_bytes=99)


@pytest.mark.parametrize("url", ["ftp://a", "http://", "a b://", "http://a/?x=1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="no URL of a server"):
        CompreFaceRequests(url, KEY)
