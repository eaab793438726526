"""Controls that send what changes something, or searches, name the right that it needs.

By the sources of the pages, without a browser.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import app.console

STATIC = Path(app.console.__file__).parent / "static"
_METHOD = re.compile(r'method: "(?:POST|PATCH|PUT|DELETE)"')
_IMPORT = re.compile(r'import \{([^}]*)\} from "([^"]+)"')
_EXPORT = re.compile(r"^export (?:async )?(?:function|const) (\w+)", re.MULTILINE)
_CONTROL = re.compile(
    r"<(?:button|\$\{KeyButton\}|\$\{(?:Drop|CameraButtons|PhotoButton)\})(?=[\s>])"
)
_HARMLESS = re.compile(
    r"onClick=\$\{(?:"
    r"on[A-Z]\w*|close\w*|reload|add|choose\(\(\) => leaveOut|"
    r"\w+ \? \(\) => set|"  # back to the choice of a person
    r"(?:\(\) =>|async \(\) =>) \(?"
    r"(?:on[A-Z]|set[A-Z]|open|show|stop|pick|pause|resume|close|remove)"
    r")"
)
_OPENS = re.compile(r"onClick=\$\{(?:\(\) => )?(?:open|find|toggle|copy|take|start[A-Z])\b")


@cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _modules() -> list[Path]:
    return sorted(p for f in ("core", "parts", "pages") for p in (STATIC / f).rglob("*.js"))


def _exports(path: Path) -> dict[str, str]:
    """What a module exports, with the source of each."""
    source = _source(path)
    found = list(_EXPORT.finditer(source))
    if not found:
        return {}
    ends = [one.start() for one in found[1:]] + [len(source)]
    return {one[1]: source[one.start() : end] for one, end in zip(found, ends, strict=True)}


def _senders(path: Path) -> set[str]:
    """The functions of a module without markup that make or send such a request."""
    if "html`" in _source(path):
        return set()
    exports = _exports(path)
    names = {name for name, text in exports.items() if _METHOD.search(text)}
    while more := {
        name
        for name, text in exports.items()
        if name not in names and any(re.search(rf"\b{one}\(", text) for one in names)
    }:
        names |= more
    return names


def _sends(path: Path) -> bool:
    source = _source(path)
    if "html`" not in source:
        return False
    imported = (
        (path.parent / place).resolve() / name.split(" as ")[0].strip()
        for names, place in _IMPORT.findall(source)
        if place.startswith(".")
        for name in names.split(",")
    )
    return bool(_METHOD.search(source)) or any(
        one.name in _senders(one.parent) for one in imported if one.parent.is_file()
    )


def _controls(source: str) -> Iterator[str]:
    """The tags of buttons and of what holds one, which may have functions in their attributes."""
    for found in _CONTROL.finditer(source):
        depth, at = 0, found.end()
        while depth or source[at] != ">":
            depth += {"{": 1, "}": -1}.get(source[at], 0)
            at += 1
        yield source[found.start() : at + 1]


def _is_harmless(tag: str) -> bool:
    return bool(_HARMLESS.search(tag) or _OPENS.search(tag))


def test_every_control_that_sends_a_change_names_the_right_that_it_needs() -> None:
    sending = [path for path in _modules() if _sends(path)]
    assert len(sending) > 20
    without = [
        f"{path.relative_to(STATIC)}: {' '.join(tag.split())}"
        for path in sending
        for tag in _controls(_source(path))
        if "needs=" not in tag and not _is_harmless(tag)
    ]
    assert not without, "\n".join(without)


def test_the_rights_that_controls_name_exist() -> None:
    rights = {"read", "identify", "enroll", "correct", "templates", "audit", "admin"}
    named = {
        right
        for path in _modules()
        for right in re.findall(r'\bneeds(?:=|: )"(\w+)"', _source(path))
    }
    assert named <= rights
    assert {"identify", "enroll", "correct", "admin"} <= named
