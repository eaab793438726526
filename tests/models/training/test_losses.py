"""Every loss is its equation, and never leaves a network without a finite gradient."""

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.training.errors import LossOptionsError, MinedTuplesError, UnknownLossError
from models.training.losses import LOSSES, TrainingLoss, build_loss
from models.training.tuples import Pairs, Triplets, all_pairs, all_triplets
from tests.models.training.batches import CLASSES, DIMENSION, LABELS, rows
from tests.models.training.naive import NAIVE, Scene, Weights, scene

ROOT = Path(__file__).parents[3]

_OTHER_OPTIONS: list[tuple[str, dict[str, object]]] = [
    ("contrastive", {"margin": 1.4, "positive_margin": 0.6}),
    ("joint", {"weight": 2.0, "positive_margin": 0.3}),
    ("triplet", {"squared": False, "margin": 0.5}),
    ("triplet", {"smooth": True}),
    ("quadruplet", {"margin": 1.0, "second_margin": 0.5}),
    ("margin", {"beta_per_class": True, "nu": 0.1, "beta": 1.0}),
    ("margin", {"nu": 0.1, "margin": 0.0}),
    ("multi-similarity", {"alpha": 5.0, "beta": 10.0, "base": 0.1}),
    ("ranked-list", {"positive_temperature": 3.0, "balance": 0.2, "margin": 0.1}),
    ("sphereface", {"margin": 3, "first_softness": 0.5, "least_softness": 0.0}),
    ("sphereface", {"margin": 1, "least_softness": 0.0}),
    ("arcface", {"sub_centres": 3, "scale": 16.0, "margin_degrees": 60.0}),
    ("cosface", {"scale": 8.0, "margin": 0.1}),
    ("adaface", {"scale": 8.0, "concentration": 2.0, "momentum": 0.5}),
    ("threshold", {"scale": 150.0, "threshold": -0.2}),
]
_OPTIONS: list[tuple[str, dict[str, object]]] = [(name, {}) for name in LOSSES] + _OTHER_OPTIONS
_MINED = [name for name, spec in LOSSES.items() if spec.mined]


def _built(
    name: str, options: Mapping[str, object] | None = None, *, seed: int = 0
) -> TrainingLoss:
    torch.manual_seed(seed)
    return build_loss(name, dimension=DIMENSION, classes=CLASSES, options=options).double()


def _weights(loss: TrainingLoss) -> Weights:
    return {name: value.detach().numpy().copy() for name, value in loss.state_dict().items()}


def _naive(name: str, options: Mapping[str, object] | None, s: Scene, weights: Weights) -> float:
    return NAIVE[name](s, LOSSES[name].options.model_validate(options or {}), weights)


@pytest.mark.parametrize(("name", "options"), _OPTIONS)
@pytest.mark.parametrize("labels", LABELS.values(), ids=list(LABELS))
def test_a_loss_is_its_equation(name: str, options: dict[str, object], labels: list[int]) -> None:
    loss = _built(name, options)
    x = rows(len(labels), seed=1).requires_grad_()
    loss(rows(7, seed=9), torch.arange(7) % CLASSES)  # what runs along has moved on already
    running = _weights(loss)
    found = loss.eval()(x, torch.tensor(labels))
    expected = _naive(name, options, scene(x.detach().numpy(), labels), running)
    assert found.item() == pytest.approx(expected, rel=1e-6, abs=1e-9)
    found.backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("labels", [[0, 0, 1, 2, 3], [0, 1, 2], [2]], ids=str)
def test_others_are_compared_with_the_batch_and_not_with_each_other(
    name: str, labels: list[int]
) -> None:
    loss = _built(name)
    x, others = rows(len(labels), seed=1), rows(6, seed=2)
    of = [0, 0, 1, 3, 4, 4]
    loss(x, torch.tensor(labels))
    running = _weights(loss)
    found = loss.eval()(x, torch.tensor(labels), others=(others, torch.tensor(of)))
    compared = LOSSES[name].mined or name == "ranked-list"
    s = scene(x.numpy(), labels, *((others.numpy(), of) if compared else ()))
    assert found.item() == pytest.approx(_naive(name, None, s, running), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", _MINED)
def test_of_mined_pairs_only_those_count(name: str) -> None:
    labels = torch.tensor(LABELS["some alone"])
    every = all_pairs(labels, labels)
    for seed, kept in enumerate(((2, 5), (1, 1), (3, 0), (0, 3))):
        made = torch.Generator().manual_seed(seed)
        near = torch.randperm(len(every.left), generator=made)[: kept[0]]
        far = torch.randperm(len(every.left_apart), generator=made)[: kept[1]]
        pairs = Pairs(
            every.left[near], every.right[near], every.left_apart[far], every.right_apart[far]
        )
        x = rows(len(labels), seed=seed)
        whole = scene(x.numpy(), labels.tolist())
        near_pairs = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
        far_pairs = list(zip(pairs.left_apart.tolist(), pairs.right_apart.tolist(), strict=True))
        triplets = [(a, p, n) for a, p in near_pairs for b, n in far_pairs if a == b]
        s = Scene(whole.x, whole.y, whole.everyone, whole.whose, near_pairs, far_pairs, triplets)
        loss = _built(name)
        found = loss(x, labels, pairs=pairs)
        expected = _naive(name, None, s, _weights(loss))
        assert found.item() == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["triplet", "quadruplet", "n-pair", "multi-similarity", "margin"]
)  # the others count a pair as often as it is mined
def test_all_triplets_are_as_good_as_none_mined(name: str) -> None:
    labels = torch.tensor(LABELS["some alone"])
    x, loss = rows(len(labels), seed=3), _built(name)
    triplets = all_triplets(labels, labels)
    # Who is alone is in no triplet as an anchor; where such rows count, they were not mined.
    if name == "multi-similarity":
        x, labels = x[labels < 2], labels[labels < 2]
        triplets = all_triplets(labels, labels)
    assert loss(x, labels, pairs=triplets).item() == pytest.approx(loss(x, labels).item())


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in _MINED])
def test_a_loss_without_pairs_refuses_a_miner(name: str) -> None:
    labels = torch.tensor([0, 0, 1])
    nothing = torch.zeros(0, dtype=torch.int64)
    with pytest.raises(MinedTuplesError, match="leave the miner out"):
        _built(name)(rows(3, seed=0), labels, pairs=Triplets(nothing, nothing, nothing))


def _gradients(loss: TrainingLoss, x: Tensor, labels: Tensor, **more: Any) -> list[Tensor]:
    loss.zero_grad()
    x = x.clone().requires_grad_()
    value = loss(x, labels, **more)
    assert value.isfinite()
    value.backward()
    learned = [p for p in loss.parameters() if p.requires_grad]
    found = [t.grad for t in (x, *learned)]
    assert all(g is not None for g in found)
    return [g for g in found if g is not None]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("at", ["equal", "antipodal", "zero", "on a weight", "against a weight"])
def test_gradients_are_finite_where_angles_and_distances_end(
    name: str, dtype: torch.dtype, at: str
) -> None:
    loss = _built(name).to(dtype)
    labels = torch.tensor([0, 0, 1, 1, 2, 3])
    x = rows(1, seed=4).to(dtype).repeat(6, 1)
    if at == "antipodal":
        x[::2] *= -1
    if at == "zero":
        x = x * 0
    if at.endswith("weight"):
        weight = next((p for p in loss.parameters() if p.ndim == 2), None)
        if weight is not None:
            by_class = weight.detach() if weight.shape[1] == DIMENSION else weight.detach().T
            x = by_class[labels] * (1 if at == "on a weight" else -1)
    for gradient in _gradients(loss, x, labels):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("name", [name for name in _MINED if name != "joint"])
def test_without_anything_to_compare_the_loss_is_zero_and_so_is_the_gradient(name: str) -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    loss = _built(name, {"norm_weight": 0.0} if name == "n-pair" else None)
    x, labels = rows(4, seed=5), torch.tensor([0, 0, 1, 1])
    for pairs in (
        Triplets(nothing, nothing, nothing),
        Pairs(nothing, nothing, nothing, nothing),
    ):
        assert loss(x, labels, pairs=pairs).item() == 0
        for gradient in _gradients(loss, x, labels, pairs=pairs):
            assert (gradient == 0).all()


# Differentiable wherever random rows fall, and quick enough to be checked by differences.
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_differences(name: str) -> None:
    loss = _built(name)
    labels = torch.tensor([0, 0, 1, 1, 2])
    loss(rows(5, seed=6), labels)
    loss.eval()
    if name == "adaface":  # the margin is not differentiated by the length, as its authors do
        length = rows(5, seed=6).norm(dim=1, keepdim=True)

        def value(x: Tensor) -> Tensor:
            made: Tensor = loss(torch.nn.functional.normalize(x) * length, labels)
            return made
    else:

        def value(x: Tensor) -> Tensor:
            made: Tensor = loss(x, labels)
            return made

    assert torch.autograd.gradcheck(value, rows(5, seed=6).requires_grad_(), atol=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_is_computed_in_single(name: str) -> None:
    labels = torch.tensor([0, 0, 1, 1, 2])
    x = rows(5, seed=7).to(torch.bfloat16)
    loss = _built(name).float().eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(x, labels)
    assert found.dtype == torch.float32
    assert found.item() == copy.deepcopy(loss)(x.float(), labels).item()


@pytest.mark.parametrize("name", LOSSES)
def test_length_matters_only_where_the_spec_says_so(name: str) -> None:
    labels = torch.tensor([0, 0, 1, 1, 2])
    x = rows(5, seed=8)
    loss = _built(name)
    first = loss(x, labels).item()
    loss.eval()
    stretched = x * torch.tensor([[1.0], [3.0], [0.5], [2.0], [1.5]], dtype=torch.float64)
    same = loss(stretched, labels).item() == pytest.approx(first, rel=1e-9)
    assert same == LOSSES[name].normalised


@pytest.mark.parametrize("name", LOSSES)
def test_a_few_steps_make_a_loss_smaller(name: str) -> None:
    labels = torch.arange(CLASSES).repeat_interleave(4)
    x = rows(len(labels), seed=9).requires_grad_()
    loss = _built(name)
    first = copy.deepcopy(loss).eval()(x, labels).item()
    descend = torch.optim.Adam([x, *loss.parameters()], lr=0.03)
    for _ in range(40):
        descend.zero_grad()
        loss(x, labels).backward()
        descend.step()
    begun = _built(name)
    loss.load_state_dict({**loss.state_dict(), **_running(begun)})
    assert loss.eval()(x, labels).item() < first


def _running(loss: TrainingLoss) -> dict[str, Tensor]:
    """What a loss keeps of the course of training, as it begins: not what is learned."""
    return {name: value for name, value in loss.named_buffers() if name == "step"}


def test_a_centre_moves_as_in_the_paper() -> None:
    loss = _built("centre")
    labels = torch.tensor([0, 0, 0, 2])
    x = rows(4, seed=10)
    centres = loss.get_parameter("centres")
    loss(x, labels).backward()
    assert centres.grad is not None
    for person in range(CLASSES):
        own = [x[i] for i in range(4) if labels[i] == person]
        step = sum((centres[person].detach() - row for row in own), torch.zeros(DIMENSION).double())
        assert torch.allclose(centres.grad[person], step / (1 + len(own)))


def test_lengths_of_adaface_are_running_means() -> None:
    loss = _built("adaface", {"momentum": 0.75})
    mean = spread = 0.0
    for seed in range(3):
        x = rows(6, seed=seed)
        loss(x, torch.arange(6) % CLASSES)
        lengths = np.linalg.norm(x.numpy(), axis=1)
        kept = 0.75 if seed else 0.0
        mean = kept * mean + (1 - kept) * lengths.mean()
        spread = kept * spread + (1 - kept) * lengths.std()
    state = loss.state_dict()
    assert state["length_mean"].item() == pytest.approx(mean)
    assert state["length_spread"].item() == pytest.approx(spread)
    loss.eval()(rows(6, seed=5) * 9, torch.arange(6) % CLASSES)
    assert loss.state_dict()["length_mean"].item() == pytest.approx(mean)


def test_sphereface_hardens_with_every_step_and_resumes_where_it_was() -> None:
    labels = torch.tensor([0, 0, 1, 1, 2])
    loss, resumed = _built("sphereface"), _built("sphereface")
    values = [loss(rows(5, seed=1), labels).item() for _ in range(4)]
    assert values == sorted(values)
    assert values[0] < values[-1]
    resumed.load_state_dict(loss.state_dict())
    assert resumed(rows(5, seed=1), labels).item() == loss(rows(5, seed=1), labels).item()


def test_a_threshold_may_stay() -> None:
    learned, fixed = _built("threshold"), _built("threshold", {"learned": False})
    assert [p.requires_grad for p in learned.parameters()] == [True]
    assert [p.requires_grad for p in fixed.parameters()] == [False]


@pytest.mark.parametrize("name", LOSSES)
def test_class_weights_are_there_where_the_spec_says_so(name: str) -> None:
    torch.manual_seed(0)
    loss = build_loss(name, dimension=3, classes=11)
    assert LOSSES[name].needs_labels_as_classes == any(11 in p.shape for p in loss.parameters())


def test_every_loss_has_its_section_its_equation_and_its_source() -> None:
    assert set(NAIVE) == set(LOSSES)
    page = (ROOT / "docs" / "losses.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `([a-z-]+)`: (.+)$", page, flags=re.MULTILINE))
    assert {name: spec.title for name, spec in LOSSES.items()} == {
        name: title for name, title in sections.items() if name in LOSSES
    }
    for spec in LOSSES.values():
        assert spec.equation
        assert spec.source
        for field in spec.options.model_fields.values():
            assert field.description


def test_what_is_unknown_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownLossError, match=r"no loss 'arcfase'; there are: .*arcface"):
        build_loss("arcfase", dimension=4, classes=2)
    with pytest.raises(LossOptionsError, match="has no option 'margins'; it has: margin, squared"):
        build_loss("triplet", dimension=4, classes=2, options={"margins": 1})
    with pytest.raises(LossOptionsError, match="'scale' of the loss cosface is -1"):
        build_loss("cosface", dimension=4, classes=2, options={"scale": -1})
    with pytest.raises(LossOptionsError, match="'margin' of the loss triplet is nan"):
        build_loss("triplet", dimension=4, classes=2, options={"margin": float("nan")})


def test_a_proxy_far_away_among_many_still_has_a_gradient() -> None:
    torch.manual_seed(0)
    loss = build_loss("proxy-nca", dimension=2, classes=100_000, options={"scale": 20.0})
    proxies = loss.state_dict()["core.proxies"]
    proxies[:] = torch.tensor([1.0, 0.0])
    proxies[0] = torch.tensor([-1.0, 0.01])
    x = torch.tensor([[1.0, 0.001]], requires_grad=True)
    value = loss(x, torch.tensor([0]))
    value.backward()
    assert value.item() == pytest.approx(80 + np.log(1e5), rel=0.01)
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad.norm() > 1e-3
