"""One server of two workers for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.kit.second_network import SECOND, add_second_network
from tests.kit.server import ServerProcess, running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Two workers on SQLite, which have a second network."""
    folder = tmp_path_factory.mktemp("workers")
    add_second_network(folder / "weights")
    with running(folder, workers=2, VULTUS_NEXT__EMBEDDER=SECOND) as started:
        yield started
