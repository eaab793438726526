"""Features: the output of a network's frozen parts, for each copy of each photo, in a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.data.augment import Augmenter
from models.training.data.crop_store import Crop, CropStore
from models.training.errors import ConfigInvalidError, NotFiniteError
from models.training.networks import TrainableNetwork
from models.training.results.measure import evaluating, normalised
from models.zoo.networks.divisible import Divisible

Features = NDArray[np.float16]
"""(copies, N, channels, height, width). Copy 0 is the photo itself, copy 1 its mirror image."""


def divisible(network: TrainableNetwork) -> Divisible:
    """The module, if it can be run in two pieces. Raises ConfigInvalidError."""
    if isinstance(network.module, Divisible):
        return network.module
    raise ConfigInvalidError(
        f"{network.recipe.architecture} cannot be run in two pieces; take sface, dlib-resnet, an "
        "iresnet or mobilefacenet, or train it with network.frozen_parts"
    )


def compute_features(
    network: TrainableNetwork,
    parts: int,
    store: CropStore,
    numbers: NDArray[np.int64],
    *,
    copies: int,
    augment: Augmenter,
    file: Path,
    device: torch.device,
    batch_size: int,
    progress: Callable[[int], None],
) -> Features:
    """Compute the features of crops by their numbers into `file`, which may exceed memory.

    `progress` takes the number of added copies. Raises NotFiniteError where values are too large
    for half precision.
    """
    module = divisible(network)
    found: Features | None = None
    with torch.inference_mode(), evaluating(network.module):
        for copy in range(copies):
            for start in range(0, len(numbers), batch_size):
                part = numbers[start : start + batch_size]
                crops = np.stack([_copy(store.crop(int(n)), copy, int(n), augment) for n in part])
                x = normalised(torch.from_numpy(crops), network.recipe.input, device)
                x = x.contiguous(memory_format=torch.channels_last)
                rows = module.begin(x, parts).half().cpu().numpy()
                if not np.isfinite(rows).all():
                    raise NotFiniteError(
                        f"the output of the first {parts} parts is too large for half "
                        "precision; set another network.frozen_parts"
                    )
                if found is None:
                    shape = (copies, len(numbers), *rows.shape[1:])
                    found = np.lib.format.open_memmap(file, "w+", np.float16, shape)
                    file.chmod(0o600)  # faces could be reconstructed from it
                found[copy, start : start + len(part)] = rows
                progress(len(part))
    assert found is not None
    return found


def _copy(crop: Crop, copy: int, number: int, augment: Augmenter) -> Crop:
    if copy == 0:
        return crop
    if copy == 1:
        return np.ascontiguousarray(crop[:, ::-1])
    return augment(crop, epoch=copy, number=number)
