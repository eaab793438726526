"""What `vultus serve` tells at its start."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from app.cli.serve.serve import _serve_alone
from app.constants import CONSTANTS
from app.errors import StartupError
from app.operations.rollout.embedder_choice import EmbedderChoice, Ground
from app.services import Services
from app.settings import Settings


@pytest.mark.parametrize(("cores", "told"), [(2, False), (16, True)])
def test_one_process_on_many_cores_is_logged_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, cores: int, *, told: bool
) -> None:
    def refuse(*_: Any) -> Services:
        raise StartupError("far enough")

    monkeypatch.setattr("app.runtime.cores.own_cores", lambda: cores)
    monkeypatch.setattr("app.services.build_services", refuse)
    choice = EmbedderChoice(Settings(_env_file=None), Ground.NAMED)
    with capture_logs() as logs, pytest.raises(StartupError, match="far enough"):
        _serve_alone(choice, CONSTANTS, lambda _: None)
    assert [line["cores"] for line in logs if "--workers" in line.get("remedy", "")] == (
        [cores] if told else []
    )
