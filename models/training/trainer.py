"""Training of a network on crops: batches, steps, checkpoints, and evaluations."""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import Tensor

from models.training.config import TrainingConfig
from models.training.data.augment import Augmenter
from models.training.data.batches import Batch, TrainingCrops, training_batches
from models.training.data.crop_store import CropStore
from models.training.data.samplers import PeopleExamples
from models.training.errors import MinedTuplesError, NotFiniteError, TooFewPeopleError
from models.training.losses import build_loss
from models.training.miners import build_miner
from models.training.networks import input_of
from models.training.results.measure import normalised
from models.training.results.run_folder import RunFolder, require_unused
from models.training.run import Run, Surroundings
from models.training.steps.bank import Bank
from models.training.steps.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from models.training.steps.optimise import Optimiser
from models.training.steps.randomness import SHARED, repeatable, seed_step
from models.training.steps.ranks import Ranks, joined_ranks
from models.training.watch import Watch
from models.zoo.network import InputSpec

_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def train(
    config: TrainingConfig,
    store: CropStore,
    folder: RunFolder,
    *,
    weights_dir: Path,
    device: str = "cpu",
    watch: Watch | None = None,
) -> Mapping[str, Any]:
    """Train, from the last checkpoint of the run if there is one; return the report.

    Under `torchrun`, all processes train together; the first one returns the report, the others an
    empty one. Raises TrainingError, or WeightsError where the initial weights cannot be loaded.
    """
    with (
        repeatable(wanted=config.deterministic, threads=config.threads),
        joined_ranks(device) as (ranks, place),
    ):
        shown = watch if ranks.is_first else None
        around = Surroundings(store, folder, weights_dir, place, shown)
        return _Training(config, around, ranks).run()


def require_possible(config: TrainingConfig, run: Path) -> InputSpec:
    """Check the configuration and the folder of a run, which takes hours; return the crop.

    Raises TrainingError, or WeightsError where the initial weights cannot be read.
    """
    require_unused(run)
    chosen = config.loss
    loss = build_loss(chosen.name, dimension=2, classes=2, options=chosen.options)
    if build_miner(chosen.miner, chosen.miner_options) is not None and not loss.mined:
        raise MinedTuplesError(
            f"the loss {chosen.name} is not made of pairs or triplets: leave loss.miner out"
        )
    return input_of(config.network)


class _Training(Run):
    def __init__(self, config: TrainingConfig, around: Surroundings, ranks: Ranks) -> None:
        device = around.device
        super().__init__(
            config,
            around,
            processes=ranks.count,
            synchronised=ranks.count > 1 and device.type == "cuda",
        )
        self._config = config
        self._ranks = ranks
        self._checkpoint = around.folder.checkpoint
        augment = Augmenter(config.data.augment, seed=config.seed)
        self._crops = TrainingCrops(around.store, self._split.train, augment)
        self._sampler = partial(
            PeopleExamples,
            self._crops.labels,
            people=_people_a_batch(config.data.people, self._crops.people, ranks.count),
            examples=config.data.examples,
            seed=config.seed,
            batches=config.steps_per_epoch,
            rank=ranks.rank,
            ranks=ranks.count,
        )
        self._epoch_steps = self._sampler().batches
        self._steps = self._epoch_steps * config.epochs
        self._loss = self._build_loss().to(device)
        self._bank = Bank(config.loss.bank, self._network.recipe.dimension).to(device)
        self._miner = build_miner(config.loss.miner, config.loss.miner_options)
        self._optimiser = Optimiser(
            self._network.module, self._loss, config.optimiser, steps=self._steps
        )
        self._half = _HALVES.get(config.precision) if device.type == "cuda" else None
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._half is torch.float16)
        self._forward = ranks.wrap(self._network.module)

    def run(self) -> Mapping[str, Any]:
        if self._checkpoint.exists():
            self._resume()
        self._watch.began(
            step=self._progress.step,
            steps=self._steps,
            people=self._crops.people,
            photos=len(self._crops),
            copies=0,
        )
        if self._progress.step == 0:
            self._progress.history, self._progress.best = [], None
            self._end_epoch(0, loss=None, rate=0.0)
        while self._progress.step < self._steps:
            self._train_epoch(self._progress.step // self._epoch_steps)
        report: Mapping[str, Any] = {}
        if self._ranks.is_first:
            report = self._finish()
        self._ranks.wait()
        return report

    def _train_epoch(self, epoch: int) -> None:
        """Make the remaining steps of an epoch."""
        progress = self._progress
        self._network.training_mode()
        self._loss.train()
        rate = 0.0
        for batch in self._batches(epoch):
            rate = self._step(batch)
            at_end = progress.step % self._epoch_steps == 0
            if progress.step % self._config.checkpoint_steps == 0 and not at_end:
                self._save()
        mean = progress.loss_sum / max(1, progress.loss_count)
        progress.loss_sum, progress.loss_count = 0.0, 0
        self._end_epoch(epoch + 1, loss=mean, rate=rate)

    def _batches(self, epoch: int) -> Iterator[Batch]:
        start = self._progress.step - epoch * self._epoch_steps
        return training_batches(
            self._crops,
            self._sampler(epoch=epoch, start=start),
            workers=self._config.data.workers,
            pin=self._device.type == "cuda",
        )

    def _step(self, batch: Batch) -> float:
        """Make a step; return the network's learning rate. Raises NotFiniteError."""
        progress = self._progress
        rate = self._optimiser.set_rates(progress.step)
        loss = self._loss_of(batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise self._not_finite(f"the loss is {value}")
        self._optimiser.torch.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._ranks.average(self._optimiser.loss_parameters)
        self._scaler.unscale_(self._optimiser.torch)
        norm = self._optimiser.clip()
        if not math.isfinite(norm) and not self._scaler.is_enabled():  # a scaler skips such steps
            raise self._not_finite(f"the norm of the gradients is {norm}")
        self._scaler.step(self._optimiser.torch)
        self._scaler.update()
        progress.loss_sum += value
        progress.loss_count += 1
        self._stepped(value, rate)
        return rate

    def _not_finite(self, fact: str) -> NotFiniteError:
        return NotFiniteError(
            f"{fact} at step {self._progress.step}; lower optimiser.rate or "
            "optimiser.loss_rate, or set precision=float32"
        )

    def _loss_of(self, batch: Batch) -> Tensor:
        """The loss of the whole batch, in every process."""
        seed, step = self._config.seed, self._progress.step
        seed_step(seed, step, self._ranks.rank)
        x = normalised(batch.crops, self._network.recipe.input, self._device)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self._device.type, dtype=self._half, enabled=self._half is not None):
            embeddings = self._forward(x)
        labels = batch.labels.to(self._device)
        embeddings, labels = self._ranks.gather(embeddings.float(), labels)
        seed_step(seed, step, SHARED)
        pairs = None if self._miner is None else self._miner(embeddings, labels)
        found: Tensor = self._loss(embeddings, labels, pairs=pairs, others=self._bank.others())
        self._bank.add(embeddings, labels)
        return found

    def _end_epoch(self, epoch: int, *, loss: float | None, rate: float) -> None:
        """Evaluate if the epoch requires it, and write a checkpoint."""
        is_due = epoch % self._config.evaluation.every_epochs == 0 or epoch == self._config.epochs
        if self._ranks.is_first and is_due:
            self._evaluate(
                {"epoch": epoch, "step": self._progress.step, "loss": loss, "rate": rate}
            )
        self._save()

    def _save(self) -> None:
        if self._ranks.is_first:
            self._progress.seconds = self._seconds()
            self._clock = monotonic()
            states = {name: part.state_dict() for name, part in self._parts().items()}
            save_checkpoint(
                self._checkpoint, Checkpoint(self._store.digest, self._progress, **states)
            )
        self._ranks.wait()

    def _resume(self) -> None:
        found = load_checkpoint(self._checkpoint, crops=self._store.digest)
        self._progress = found.progress
        for name, part in self._parts().items():
            part.load_state_dict(getattr(found, name))

    def _parts(self) -> Mapping[str, Any]:
        """The objects with a state, by their names in a checkpoint."""
        return {
            "network": self._network.module,
            "loss": self._loss,
            "bank": self._bank,
            "optimiser": self._optimiser.torch,
            "scaler": self._scaler,
        }

    def _build_loss(self) -> torch.nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(self._config.seed)
            return build_loss(
                self._config.loss.name,
                dimension=self._network.recipe.dimension,
                classes=self._crops.people,
                options=self._config.loss.options,
            )


def _people_a_batch(wanted: int, there: int, processes: int) -> int:
    """The number of people in a batch: at most all, and equally many in each process."""
    people = min(wanted, there) // processes * processes
    if people < 2:
        raise TooFewPeopleError(
            f"a batch of {min(wanted, there)} people cannot be divided among {processes} "
            "processes; start fewer, or raise data.people"
        )
    return people
