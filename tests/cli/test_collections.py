"""`vultus collections`, on a real database."""

from pathlib import Path

import pytest

from app.errors import CollectionExists, CollectionNotFound
from models.zoo.names import DEFAULT_NETWORK
from tests.kit import photos
from tests.kit.commands import json_of_command, run_command


def _counts() -> dict[str, tuple[int, int]]:
    found = json_of_command("collections", "list")["collections"]
    return {one["name"]: (one["identity_count"], one["face_count"]) for one in found}


def test_collections_are_created_listed_and_deleted_with_their_people(tmp_path: Path) -> None:
    made = json_of_command(
        "collections", "create", "staff", "--description", "[red]all\x1b[2J[/red]"
    )
    assert (made["name"], made["model"]["name"]) == ("staff", DEFAULT_NETWORK)
    with pytest.raises(CollectionExists):
        run_command("collections", "create", "staff")
    (tmp_path / "people" / "Grace").mkdir(parents=True)
    (tmp_path / "people" / "Grace" / "1.jpg").write_bytes(photos.encoded(photos.hopper()))
    run_command("enroll-folder", str(tmp_path / "people"), "--collection", "staff")
    assert _counts() == {"default": (0, 0), "staff": (1, 1)}
    shown = run_command("collections", "list").stdout
    assert "\x1b[2J" not in shown
    assert "[red]all" in shown

    refused = run_command("collections", "delete", "staff", answer="n\n")
    assert refused.exit_code == 1
    assert "1 people and 1 faces" in refused.stderr
    assert run_command("collections", "delete", "staff", answer="").exit_code == 1
    assert _counts()["staff"] == (1, 1)

    receipt = json_of_command("collections", "delete", "staff", "--yes")
    assert (receipt["identity_count"], receipt["face_count"]) == (1, 1)
    assert receipt["compacted"] is True
    assert _counts() == {"default": (0, 0)}
    with pytest.raises(CollectionNotFound):
        run_command("collections", "delete", "staff", "--yes")

    assert (
        "deleted default: 0 people"
        in run_command("collections", "delete", "default", "--yes").stdout
    )
    assert _counts() == {"default": (0, 0)}


def test_a_name_that_no_collection_may_have_is_refused() -> None:
    refused = run_command("collections", "create", "../x")
    assert refused.exit_code == 2
    assert "at most 255" in refused.stderr
