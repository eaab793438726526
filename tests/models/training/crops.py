"""Generated people: each a pattern of their own, photographed with noise and in other light."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.config import TrainingConfig, config_from
from models.training.data.crop_store import CropStore, CropStoreWriter, ListedCrop, open_store
from models.zoo.network import InputSpec
from models.zoo.templates import arcface_template

SIDE = 16
SPEC = InputSpec(SIDE, arcface_template(SIDE), (127.5,) * 3, (127.5,) * 3)


def photo(person: int, number: int, side: int = SIDE) -> NDArray[np.uint8]:
    """Coarse squares that tell who it is, under noise and light that do not."""
    pattern = np.random.default_rng((1, person)).uniform(0, 255, (4, 4, 3))
    draw = np.random.default_rng((2, person, number))
    image = np.kron(pattern, np.ones((side // 4 + 1, side // 4 + 1, 1)))[:side, :side]
    changed = image * draw.uniform(0.6, 1.2) + draw.normal(0, 40, image.shape)
    return np.clip(changed, 0, 255).astype(np.uint8)


def make_store(
    folder: Path, *, people: int = 12, photos: int = 6, spec: InputSpec = SPEC
) -> CropStore:
    with CropStoreWriter(folder, spec) as writer:
        listed = []
        for person in range(people):
            for number in range(photos):
                crop = photo(person, number, spec.size_px)
                sha256 = hashlib.sha256(crop.tobytes()).hexdigest()
                writer.add(sha256, crop)
                listed.append(
                    ListedCrop(f"{person:03}/{number}.png", f"person {person:03}", sha256)
                )
        writer.finish(listed)
    return open_store(folder)


def make_config(**changes: Any) -> TrainingConfig:
    """A few steps of a small network, on one thread. `changes` are groups of options."""
    content: dict[str, Any] = {
        "seed": 3,
        "epochs": 2,
        "steps_per_epoch": 6,
        "threads": 1,
        "checkpoint_steps": 2,
        "data": {"people": 4, "examples": 3, "choose": 0.25, "test": 0.25},
        "network": {"name": "small-cnn", "size_px": SIDE, "dimension": 8, "mirror_average": False},
        "loss": {"name": "contrastive"},
        "optimiser": {"rate": 1e-2, "warmup_steps": 2},
    }
    for name, change in changes.items():
        before = content.get(name, {})
        content[name] = {**before, **change} if isinstance(change, dict) else change
    return config_from(TrainingConfig, content)
