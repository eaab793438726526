"""Liveness thresholds that were fitted here, one file for each choice of networks."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import StartupError
from models.files import write_text_atomically


class FittedThreshold(BaseModel):
    """A threshold, and what it was fitted on; `digest` is that of `LivenessScorer`.

    `bpcer` and `apcer` (by species of attack) are shares, measured on the captures of the fit.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    networks: tuple[str, ...]
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    threshold: float = Field(ge=0, le=1)
    target_bpcer: float
    bpcer: dict[str, Any]
    apcer: dict[str, dict[str, Any]]


class LivenessThresholds:
    """The files in a folder, named by the networks' digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, digest: str) -> FittedThreshold | None:
        """Raises StartupError when the file is no threshold of these networks."""
        path = self._path(digest)
        try:
            found = FittedThreshold.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValidationError, ValueError) as error:
            raise StartupError(
                f"{path} is no liveness threshold ({error}); fit it again, or remove it"
            ) from error
        if found.digest != digest:
            raise StartupError(f"{path} is of other networks; fit it again, or remove it")
        return found

    def save(self, fitted: FittedThreshold) -> Path:
        """Write it, all of it or nothing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(fitted.digest)
        write_text_atomically(path, fitted.model_dump_json(indent=1) + "\n")
        return path

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest[:16]}.json"
