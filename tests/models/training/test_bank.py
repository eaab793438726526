"""The bank keeps the latest examples, and a loss looks at them."""

from collections import deque

import pytest
import torch

from models.training.config import TrainingConfig, read_config
from models.training.errors import ConfigInvalidError
from models.training.steps.bank import Bank


@pytest.mark.parametrize("size", [1, 5, 8, 100])
def test_the_bank_is_a_queue_of_the_latest(size: int) -> None:
    bank = Bank(size, 3)
    expected: deque[tuple[tuple[float, ...], int]] = deque(maxlen=size)
    assert bank.others() is None
    for batch in range(6):
        rows = torch.randn(7, 3, requires_grad=True)
        labels = torch.arange(7) + batch
        bank.add(rows, labels)
        expected.extend(zip(map(tuple, rows.tolist()), labels.tolist(), strict=True))
        found = bank.others()
        assert found is not None
        assert not found[0].requires_grad
        kept = set(zip(map(tuple, found[0].tolist()), found[1].tolist(), strict=True))
        assert kept == set(expected)


def test_a_bank_of_none_stays_empty() -> None:
    bank = Bank(0, 3)
    bank.add(torch.randn(4, 3), torch.arange(4))
    assert bank.others() is None


def test_the_state_of_a_bank_goes_on_where_it_was() -> None:
    one, other = Bank(5, 2), Bank(5, 2)
    rows = torch.randn(9, 2)
    one.add(rows[:4], torch.arange(4))
    other.load_state_dict(one.state_dict())
    for bank in (one, other):
        bank.add(rows[4:], torch.arange(5))
    assert all(torch.equal(a, b) for a, b in zip(one.buffers(), other.buffers(), strict=True))


def test_a_miner_and_a_bank_do_not_go_together() -> None:
    with pytest.raises(ConfigInvalidError, match="set miner to all"):
        read_config(TrainingConfig, None, ["loss.bank=100", "loss.miner=hard"])
