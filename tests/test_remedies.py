"""Errors carry facts; each edge words the remedy for its reader."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from app.api.remedies import HTTP
from app.cli.library_errors import LIBRARY_REMEDIES
from app.cli.remedies import TERMINAL
from app.errors import (
    IdentityWithoutFace,
    ImageTooLarge,
    NoUsableImage,
    Overloaded,
    Reason,
    RejectedImage,
    Resemblance,
    RolloutImpossible,
    RolloutObstacle,
    SettingUnusable,
    VultusError,
)
from app.gallery.doctor import FindingKind
from app.operations.doctor import ADVICE
from app.remedies import Remedies

_OF_HTTP = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) |/v1\b|=true\b|\bx-[a-z]+-[a-z]+")
_OF_TERMINAL = re.compile(r"(?<![-\w])--[a-z]|\bvultus [a-z]")
_ROOT = Path(__file__).parent.parent
_DOMAIN = ("app/datasets", "app/gallery", "app/operations", "app/recognition", "models")


def _tree(kind: type[VultusError] = VultusError) -> Iterator[type[VultusError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _own_entry(remedies: Remedies, kind: type[VultusError]) -> bool:
    """Return whether the class, or a base of the same code, has an entry."""
    bases = [base for base in kind.__mro__ if issubclass(base, VultusError)]
    return any(base in remedies.table and base.code == kind.code for base in bases)


def _image(reason: Reason) -> RejectedImage:
    resemblance = Resemblance("id", None, None, 0.5, 0.9)
    return RejectedImage(0, (reason,), "a fact", resemblance=resemblance)


@pytest.mark.parametrize("remedies", [HTTP, TERMINAL])
def test_every_code_of_the_tree_of_errors_has_a_remedy_or_none_on_purpose(
    remedies: Remedies,
) -> None:
    assert [kind.__name__ for kind in _tree() if not _own_entry(remedies, kind)] == []
    assert [reason for reason in Reason if reason not in remedies.table] == []


def test_remedies_for_errors_of_the_library_name_commands_and_no_request() -> None:
    texts = LIBRARY_REMEDIES.values()
    assert [text for text in texts if not _OF_TERMINAL.search(text) or _OF_HTTP.search(text)] == []


@pytest.mark.parametrize("remedies", [HTTP, TERMINAL])
def test_remedies_name_only_attributes_that_their_error_has(remedies: Remedies) -> None:
    for kind in _tree():
        remedy = remedies.find(kind)
        if isinstance(remedy, str):
            fields = {field for _, field, _, _ in Formatter().parse(remedy) if field}
            assert fields <= set(inspect.signature(kind).parameters), kind.__name__


def _texts(remedies: Remedies) -> Iterator[str]:
    yield from (remedy for remedy in remedies.table.values() if isinstance(remedy, str))
    yield from (remedies.detail_of_image(_image(reason)) for reason in Reason)


def test_remedies_for_http_name_no_command_and_those_for_a_terminal_no_request() -> None:
    assert [text for text in (*_texts(HTTP), *ADVICE.values()) if _OF_TERMINAL.search(text)] == []
    told = [*_texts(TERMINAL), *ADVICE.values()]
    told += [TERMINAL.detail(RolloutImpossible("a fact", obstacle)) for obstacle in RolloutObstacle]
    assert [text for text in told if _OF_HTTP.search(text)] == []


def test_each_finding_of_the_doctor_has_advice() -> None:
    assert set(ADVICE) == set(FindingKind)


def _raised_texts(path: Path) -> Iterator[str]:
    """Constant pieces of what is given to errors, in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and re.search(
            r"Error$|Impossible$|NotFound$|Mismatch$|^Rejected|Unusable$|Unavailable$|Required$",
            ast.unparse(node.func),
        ):
            for piece in ast.walk(node):
                if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
                    yield piece.value


def test_what_is_below_the_edges_raises_facts_without_requests_and_commands() -> None:
    found = [
        (str(path), text)
        for folder in _DOMAIN
        for path in sorted((_ROOT / folder).rglob("*.py"))
        for text in _raised_texts(path)
        if _OF_HTTP.search(text) or _OF_TERMINAL.search(text)
    ]
    assert found == []


def test_networks_name_no_settings_of_the_service() -> None:
    files = sorted((_ROOT / "models").rglob("*.py"))
    assert [str(path) for path in files if "VULTUS_" in path.read_text(encoding="utf-8")] == []


def test_the_same_error_is_worded_for_who_reads_it() -> None:
    error = IdentityWithoutFace("ann has no face", collection="staff", identity_id="7")
    assert HTTP.detail(error) == (
        "ann has no face; add one with POST /v1/collections/staff/identities/7/faces"
    )
    assert TERMINAL.detail(error) == (
        "ann has no face; enroll a photo of them with vultus enroll-folder"
    )
    assert TERMINAL.detail(SettingUnusable("port 1 is taken", setting="VULTUS_PORT")) == (
        "port 1 is taken; check VULTUS_PORT"
    )


def test_braces_in_the_facts_of_others_are_only_text() -> None:
    error = IdentityWithoutFace("{nope}", collection="{collection.__class__}", identity_id="{}")
    assert HTTP.detail(error).startswith("{nope}; add one")
    assert "{collection.__class__}/identities/{}/faces" in HTTP.detail(error)


def test_the_only_image_that_was_refused_brings_its_own_remedy() -> None:
    one = RejectedImage(0, (Reason.SEVERAL_FACES,), "2 faces were found")
    error = NoUsableImage("image_a: 2 faces were found", [one])
    assert HTTP.detail(error).endswith("or ask for faces=largest")
    assert TERMINAL.detail(error).endswith("or --faces largest")
    assert HTTP.detail(NoUsableImage("none can be used", [one, one])).endswith("; see rejected")


def test_a_limit_is_named_by_its_setting_to_who_can_raise_it() -> None:
    for error in (
        ImageTooLarge("a fact", setting="VULTUS_X"),
        Overloaded("a fact", setting="VULTUS_X"),
    ):
        assert HTTP.detail(error).endswith("; or who runs the service has to raise VULTUS_X")
        assert TERMINAL.detail(error).endswith(", or raise VULTUS_X")
        if not isinstance(error, Overloaded):
            image = RejectedImage(0, (Reason(error.code),), "a fact", error=error)
            assert HTTP.detail_of_image(image) == HTTP.detail(error)
