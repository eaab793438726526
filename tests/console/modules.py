"""The console's JavaScript as it is on disk: which file imports which."""

import re
from pathlib import Path

from app.console import STATIC

_NAMES = r"[\w\s{},*$]+"
_IMPORT = re.compile(
    rf"""^(?:import\s+(?:{_NAMES}\sfrom\s+)?|export\s+{_NAMES}\sfrom\s+)["']([^"']+)["']""",
    flags=re.MULTILINE,
)
_NAVIGATION = re.compile(r"NAVIGATION = \[([^\]]*)\]")


def own_modules() -> list[Path]:
    """All but the vendored ones and the page of the API."""
    return sorted(
        file
        for file in STATIC.rglob("*.js")
        if file.relative_to(STATIC).parts[0] not in ("docs", "vendor")
    )


def imports_of(module: Path) -> list[Path]:
    """The files that a module imports statically; paths that are not relative raise."""
    found = _IMPORT.findall(module.read_text(encoding="utf-8"))
    strange = [name for name in found if not name.startswith(("./", "../"))]
    assert not strange, f"{module.name} imports {strange} by no relative path"
    return [(module.parent / name).resolve() for name in found]


def needed_by(*modules: str) -> set[str]:
    """These modules and all that they import, as paths below the static files."""
    needed: set[str] = set()
    left = [STATIC / module for module in modules]
    while left:
        module = left.pop()
        name = module.relative_to(STATIC).as_posix()
        if name not in needed:
            needed.add(name)
            left += imports_of(module)
    return needed


def navigation() -> list[str]:
    """The pages in the navigation, in its order."""
    text = (STATIC / "core" / "pages.js").read_text(encoding="utf-8")
    found = _NAVIGATION.search(text)
    assert found is not None
    return re.findall(r'"(\w+)"', found[1])
