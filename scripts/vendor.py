"""Fetch the JavaScript that the console and /docs vendor: `python -m scripts.vendor`.

For maintainers, when a version changes; it needs npm and its registry. Packages are fetched in the
exact versions below, and compared with the SHA-512 that stands beside them. VENDORED.json lists
what was written, and a test compares it with the files.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

STATIC: Final = Path(__file__).parents[1] / "app" / "console" / "static"
LIST: Final = STATIC / "vendor" / "VENDORED.json"
LICENSES: Final = STATIC / "vendor" / "LICENSES"


@dataclass(frozen=True)
class Package:
    """A package of npm, and which of its files are vendored where, below the static files."""

    name: str
    version: str
    integrity: str
    """As npm's registry states it: `sha512-` and base64."""
    files: dict[str, str]
    notices: tuple[str, ...] = ("LICENSE",)


PACKAGES: Final = (
    Package(
        "preact",
        "11.2.0",
        "sha512-/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        {"dist/preact.mjs": "vendor/preact.js", "hooks/dist/hooks.mjs": "vendor/hooks.js"},
    ),
    Package(
        "htm",
        "3.1.1",
        "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        {"dist/htm.mjs": "vendor/htm.js"},
    ),
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        {
            "swagger-ui-bundle.js": "docs/swagger-ui-bundle.js",
            "swagger-ui-bundle.js.LICENSE.txt": "docs/swagger-ui-bundle.js.LICENSE.txt",
            "swagger-ui.css": "docs/swagger-ui.css",
        },
        ("LICENSE", "NOTICE"),
    ),
)

_BARE: Final = 'from"preact"'
"""An import that only an import map could resolve; import maps are inline, which the console's
content security policy refuses."""
_RELATIVE: Final = 'from"./preact.js"'
_ANY_BARE_IMPORT: Final = re.compile(r"""(?:\bfrom|\bimport)\s*\(?["'](?![./])[^"'\n]{1,80}["']""")


def main() -> None:
    listed: list[dict[str, str]] = []
    licenses: list[str] = []
    with TemporaryDirectory() as temporary:
        for package in PACKAGES:
            with tarfile.open(_fetch(package, Path(temporary))) as archive:
                license_name = json.loads(_member(archive, "package.json"))["license"]
                for source, target in package.files.items():
                    content = _without_bare_import(_member(archive, source), target)
                    (STATIC / target).parent.mkdir(parents=True, exist_ok=True)
                    (STATIC / target).write_bytes(content)
                    listed.append(
                        {
                            "name": package.name,
                            "version": package.version,
                            "licence": license_name,
                            "file": target,
                            "sha256": hashlib.sha256(content).hexdigest(),
                        }
                    )
                for notice in package.notices:
                    title = f"{package.name} {package.version}: {notice}"
                    text = _member(archive, notice).decode("utf-8").strip()
                    licenses.append(f"{title}\n{'=' * len(title)}\n\n{text}\n")
    LIST.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    LICENSES.write_text("\n\n".join(licenses), encoding="utf-8")


def _fetch(package: Package, folder: Path) -> Path:
    """Download a package by npm. Exits where its SHA-512 is another one than expected."""
    # Always with a version: without one, npm may take an older one that suits the local Node.
    command = ["npm", "pack", "--json", f"{package.name}@{package.version}"]
    answer = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    filename: str = json.loads(answer.stdout)[0]["filename"]
    archive = folder / filename
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii")
    if f"sha512-{digest}" != package.integrity:
        sys.exit(f"{archive.name}: its SHA-512 is {digest}, not {package.integrity}")
    return archive


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(f"package/{name}")
    if file is None:
        sys.exit(f"{name} is no file")
    return file.read()


def _without_bare_import(content: bytes, target: str) -> bytes:
    if not target.startswith("vendor/"):  # a classic script
        return content
    text = content.decode("utf-8").replace(_BARE, _RELATIVE)
    left = _ANY_BARE_IMPORT.search(text)
    if left is not None:
        sys.exit(f"{target} imports by a bare name: {left.group()}")
    return text.encode("utf-8")


if __name__ == "__main__":
    main()
