"""One server of two workers for the tests of this folder, as each of them imports everything."""

from collections.abc import Iterator

import pytest

from scripts.second_network import write_second_network
from tests.server import ServerProcess, running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Two workers on SQLite, which have a second network."""
    folder = tmp_path_factory.mktemp("workers")
    second = folder / "second.onnx"
    write_second_network(second)
    with running(
        folder,
        workers=2,
        VULTUS_NEXT__EMBEDDER="onnx",
        VULTUS_NEXT__WEIGHTS_PATH=str(second),
    ) as started:
        yield started
