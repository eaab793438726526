"""The sweep erases who has expired, whatever else goes wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.records import NewIdentity
from app.services import build_services
from app.settings import Settings


def test_people_are_erased_although_the_inbox_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = build_services(Settings(data_dir=tmp_path, device="cpu"))
    services.prepare()
    expired = NewIdentity(name="Ada", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    services.gallery.people.enroll(DEFAULT_COLLECTION, expired, [])

    def fails(_: object) -> dict[str, int]:
        raise ZeroDivisionError

    monkeypatch.setattr(services.unknowns, "erase_expired", fails)
    with pytest.raises(ZeroDivisionError):
        services.sweep.erase_expired()
    assert services.gallery.collections.get(DEFAULT_COLLECTION).identity_count == 0
    services.recognizer.stop()
    services.gallery.close()
