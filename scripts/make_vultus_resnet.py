"""Make `vultus-resnet`: `dlib-resnet`, fine-tuned on all of LFW's people.

    python -m benchmarks finetune --faces FOLDER --crops CROPS --out RUN
    python -m scripts.make_vultus_resnet --faces FOLDER --crops CROPS --measured RUN --out MADE
    vultus models add MADE/vultus-resnet.safetensors --name NAME --license TEXT

People whom a network was tuned on do not show how good it is. So its figures and its calibration
are those of its twin in RUN, which was tuned in the same way on some of them, and measured on the
others.
The weights are written in half precision, with the card beside them, which `vultus models add`
reads. Two machines do not make them alike to the bit, so that a gallery keeps the file that it has.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.kit.lfw_data import lfw_data
from benchmarks.kit.report import console, print_machine
from benchmarks.training.finetune import Watcher, configuration
from benchmarks.training.finetune_data import all_people, lfw_crops
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.training.data.crop_store import CropStore
from models.training.networks import TrainableNetwork, build_network, input_of
from models.training.results.measure import embed
from models.training.results.run_folder import RunFolder, read_report
from models.training.tuning.tune import tune
from models.training.tuning.tuning_config import TuningConfig
from models.zoo.cards import NetworkCard, write_card
from models.zoo.weights.module_weights import fill
from models.zoo.weights.weights_file import read_weights, save_weights

NAME = "vultus-resnet"
_LICENSE = (
    "CC0-1.0 for the weights that it began with; Labeled Faces in the Wild, which it was tuned on, "
    "was released for research"
)
_TRIED_ON = 500  # crops, to see what half precision changes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--faces", type=Path, required=True, help="folder with images/")
    parser.add_argument("--crops", type=Path, required=True, help="where crops are kept")
    parser.add_argument(
        "--measured", type=Path, required=True, help="run of the benchmark finetune"
    )
    parser.add_argument("--out", type=Path, required=True, help="where the files are written")
    options = parser.parse_args()
    data = lfw_data(parser, options.faces)
    print_machine()
    twin = read_report(options.measured)
    config = configuration({"back": [twin["best"]["back"]]})
    store = lfw_crops(data, options.crops, input_of(config.network))
    options.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        run = RunFolder(Path(scratch))
        with Watcher() as watch:
            report = tune(
                config, store, run, weights_dir=run.path, split=all_people(store), watch=watch
            )
        card = _write(options.out, config, store, run, {"own": report, "twin": twin})
    console.print(f"{options.out / NAME}.safetensors: {card.digest}", soft_wrap=True)


def _write(
    folder: Path,
    config: TuningConfig,
    store: CropStore,
    run: RunFolder,
    reports: Mapping[str, Mapping[str, Any]],
) -> NetworkCard:
    own, twin = reports["own"], reports["twin"]
    network = build_network(config.network, weights_dir=run.path, seed=config.seed)
    saved = read_weights(run.weights)
    weights = folder / f"{NAME}.safetensors"
    halved = {name: tensor.half() for name, tensor in saved.state.items()}
    digest = save_weights(weights, halved, network.recipe, mirror_average=True)
    rows = []
    for path in (run.weights, weights):
        fill(network.module, read_weights(path).state, config.network.name)
        rows.append(_some(network, store))
    least = float((rows[0] * rows[1]).sum(axis=1).min())
    console.print(f"cosine of embeddings in half and in full precision: {least:.6f} or more")
    card = NetworkCard(
        name=NAME,
        digest=digest,
        recipe=network.recipe,
        dimension=network.recipe.dimension,
        input=network.recipe.input,
        mirror_average=True,
        description="dlib-resnet, fine-tuned (docs/vultus-resnet.md)",
        license=_LICENSE,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        loss=config.loss.model_dump(mode="json"),
        data={"tuned_on": own["data"]["train"], "figures_of": twin["data"]},
        figures={"test": twin["test"], "test_before": twin["test_before"]},
        calibration=_calibration(twin, digest),
    )
    write_card(folder / f"{NAME}.json", card)
    return card


def _some(network: TrainableNetwork, store: CropStore) -> np.ndarray[Any, np.dtype[np.float32]]:
    return embed(
        network.module,
        store,
        np.arange(min(len(store), _TRIED_ON)),
        network.recipe.input,
        mirror_average=True,
        device=torch.device("cpu"),
        batch_size=64,
    )


def _calibration(twin: Mapping[str, Any], digest: str) -> dict[str, Any]:
    measured = SimilarityMap.from_json(dict(twin["calibration"]))
    source = f"LFW, by a twin that was tuned on other people: {measured.source}"
    return replace(measured, embedder=NAME, digest=digest, source=source).to_json()


if __name__ == "__main__":
    main()
