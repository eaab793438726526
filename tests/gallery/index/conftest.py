import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def _threads_take_short_turns() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)
