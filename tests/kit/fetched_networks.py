"""Networks made here in the place of fetched ones, with their cards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.zoo.catalogue.fetched import Receipt, file_of, write_receipt
from tests.kit.catalogue_cards import HOST, sha256


def fetched_card(
    weights_dir: Path, name: str, save: Callable[[Path], object], *, kind: str, **facts: Any
) -> str:
    """Have `save` write the file of a network where it lies once it is fetched.

    Returns its card as TOML, with `facts` in the table of its kind.
    """
    path = file_of(name, weights_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path)
    content = path.read_bytes()
    write_receipt(
        Receipt(
            name=name,
            bytes=len(content),
            sha256=sha256(content),
            source=f"{HOST}/{name}.onnx",
            fetched="2026-01-31T12:00:00Z",
            license="a licence",
            license_url=f"{HOST}/LICENSE",
        ),
        weights_dir,
    )
    lines = [
        f"name = {json.dumps(name)}",
        f"kind = {json.dumps(kind)}",
        'description = "made in a test"',
        'training_data = "none"',
        'facts = ["this test"]',
        f"bytes = {len(content)}",
        f"sha256 = {json.dumps(sha256(content))}",
        "[license]",
        'name = "a licence"',
        f"url = {json.dumps(HOST + '/LICENSE')}",
        'commercial = "yes"',
        'terms = "what it allows"',
        "[[sources]]",
        f"url = {json.dumps(f'{HOST}/{name}.onnx')}",
        f"[{kind}]",
        *(f"{key} = {json.dumps(value)}" for key, value in facts.items()),
    ]
    return "\n".join(lines) + "\n"
