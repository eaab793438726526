"""Fitted liveness thresholds, one file for each set of networks."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import StartupError
from models.files import write_text_atomically


class FittedThreshold(BaseModel):
    """A threshold, and its error rates; `digest` is that of the `LivenessScorer`.

    `bpcer` and `apcer` (by species of attack) are shares of the captures that it was fitted on.
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
    """The files in a folder, named by the digest of the networks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, digest: str) -> FittedThreshold | None:
        """Return None without a file. Raises StartupError for a file of other networks, or
        damaged."""
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
        """Write the file atomically, and return its path."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(fitted.digest)
        write_text_atomically(path, fitted.model_dump_json(indent=1) + "\n")
        return path

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest[:16]}.json"
