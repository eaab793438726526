"""Files of weights are data: none of the ways to load them runs code that is pickled in them."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.data.crop_store import open_store
from models.training.errors import RunUnusableError, StoreUnusableError
from models.training.steps.checkpoint import load_checkpoint
from models.zoo.errors import WeightsInvalidError
from models.zoo.networks import facenet
from models.zoo.weights.weights_file import read_weights


class _Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self._made = made

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self._made),)


def _as_pickle(file: Path, made: Path) -> None:
    file.write_bytes(pickle.dumps({"weight": _Payload(made)}, protocol=2))


def _as_torch(file: Path, made: Path) -> None:
    torch.save({"weight": torch.zeros(1), "other": _Payload(made)}, file)


def _as_torch_of_old(file: Path, made: Path) -> None:
    torch.save({"weight": _Payload(made)}, file, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [_as_pickle, _as_torch, _as_torch_of_old])
@pytest.mark.parametrize("name", ["weights.pt", "weights.pth", "weights.safetensors"])
def test_no_file_of_weights_runs_code(
    tmp_path: Path, write: Callable[[Path, Path], None], name: str
) -> None:
    file, made = tmp_path / name, tmp_path / "made"
    write(file, made)
    with pytest.raises(WeightsInvalidError):
        read_weights(file)
    with pytest.raises(WeightsInvalidError):
        facenet.load("facenet-vggface2", weights_dir=tmp_path, weights_path=file)
    checkpoint = tmp_path / "checkpoint.pt"
    write(checkpoint, made)
    with pytest.raises(RunUnusableError):
        load_checkpoint(checkpoint, crops="")
    assert not made.exists()


def test_no_store_of_crops_runs_code(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (tmp_path / "store.json").write_text("{}", encoding="utf-8")
    crops = np.array([_Payload(made)], dtype=object)
    np.save(tmp_path / "crops.npy", crops, allow_pickle=True)
    with pytest.raises(StoreUnusableError):
        open_store(tmp_path)
    assert not made.exists()
