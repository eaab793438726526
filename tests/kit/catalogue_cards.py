"""Cards of the catalogue for tests: written as TOML, found in place of the product's."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.zoo.catalogue import entry as entries

HOST = "https://weights.example"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def card(
    name: str,
    *,
    content: bytes | None,
    sources: list[dict[str, Any]],
    commercial: str = "yes",
    dimension: int = 8,
    size_px: int = 112,
    **embedder: Any,
) -> str:
    """The TOML of an embedder's card; `content` is the file that it pins, None for no file."""
    lines = [
        f"name = {json.dumps(name)}",
        'kind = "embedder"',
        'description = "made in a test"',
        'training_data = "none"',
        'facts = ["this test"]',
    ]
    if content is not None:
        lines += [f"bytes = {len(content)}", f'sha256 = "{sha256(content)}"']
    lines += [
        "[license]",
        'name = "a licence"',
        f'url = "{HOST}/LICENSE"',
        f'commercial = "{commercial}"',
        'terms = "what it allows"',
    ]
    for source in sources:
        lines += ["[[sources]]", *(f"{key} = {json.dumps(value)}" for key, value in source.items())]
    lines += ["[embedder]", f"dimension = {dimension}", f"size_px = {size_px}"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in embedder.items()]
    return "\n".join(lines) + "\n"


@contextmanager
def catalogue_of(folder: Path, *cards: str) -> Iterator[None]:
    """The catalogue holds these cards alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(cards):
        (folder / f"{number}.toml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "FOLDER", folder)
        entries.catalogue.cache_clear()
        try:
            yield
        finally:
            entries.catalogue.cache_clear()
