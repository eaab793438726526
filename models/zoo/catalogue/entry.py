"""The card of a published network: description, sources, licence, and how it is run.

A card is a TOML file in `entries/`, named after the network. Every fact of a card has a source.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.zoo.names import Colours, TemplateName, Triple

Kind = Literal["embedder", "detector", "liveness"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Url = Annotated[str, Field(pattern=r"^https://[^/?#\s]+/[^?#\s]+$")]

_NAME = r"[a-z0-9][a-z0-9.-]{0,62}"
_MOST_BYTES = 1_000_000_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class License(_Part):
    """`commercial`: whether it allows commercial use; `terms` says in sentences what it allows."""

    name: str = Field(min_length=1)
    url: str = Field(pattern=r"^https://\S+$")
    commercial: Literal["yes", "no", "unclear"]
    terms: str = Field(min_length=1)

    @property
    def summary(self) -> str:
        """The name, and a remark unless it allows commercial use."""
        remarks = {"yes": "", "no": "; no commercial use", "unclear": "; commercial use is unclear"}
        return self.name + remarks[self.commercial]


class Figure(_Part):
    """A published accuracy, in percent, with its source; it was not measured with Vultus.

    For a benchmark "at 1e-4", it is the true accept rate at that false match rate.
    """

    benchmark: str
    value: float = Field(gt=0, le=100)
    source: str = Field(min_length=1)


class Source(_Part):
    """A URL of the file. The first source of a card is tried first.

    With `member`, the URL is that of a zip archive with size `bytes` and SHA-256 `sha256`, and the
    file is its member of that name. Without, size and SHA-256 are on the card.
    """

    url: Url
    member: str | None = Field(None, pattern=r"^[^/\\]+$")
    bytes: int | None = Field(None, ge=1)
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _pinned_where_it_is_an_archive(self) -> "Source":
        if self.member is None and (self.bytes, self.sha256) != (None, None):
            raise ValueError("size and SHA-256 of a plain file belong to the card")
        return self

    @property
    def file(self) -> str:
        """The name of the fetched file or archive."""
        return PurePosixPath(urlsplit(self.url).path).name

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


class EmbedderInput(_Part):
    """The crop of an embedder, and the length of its embeddings.

    A pixel p (0 to 255) of a channel enters as `(p - mean) / std`, with channels in the order of
    `colours`. With `architecture`, the file contains the weights of a network that Vultus builds
    itself, which is faster; else the graph of the file is run.
    """

    dimension: int = Field(ge=2, le=4096)
    size_px: int = Field(112, ge=16, le=1024)
    template: TemplateName = "arcface"
    mean: Triple = (127.5, 127.5, 127.5)
    std: Triple = (127.5, 127.5, 127.5)
    colours: Colours = "rgb"
    mirror_average: bool = False
    architecture: Literal["sface"] | None = None


class DetectorUse(_Part):
    """The use of a detector in Vultus; the code for its `family` runs it.

    `score` describes the reported score (0 to 1); `min_score` is the lowest score of a face, unless
    the user sets another. `finds_landmarks`: the detector finds landmarks; else MTCNN's output
    network finds them in its boxes.
    """

    family: Literal["mtcnn", "scrfd", "yunet"]
    score: str = Field(min_length=1)
    min_score: float = Field(gt=0, le=1)
    finds_landmarks: bool


class DetectorInput(_Part):
    """The pictures that a detector takes; `strides` are those of its maps, in pixels.

    `use` is None for a detector that is only fetched for other programs.
    """

    mean: Triple
    std: Triple
    colours: Colours
    strides: tuple[int, ...] = (8, 16, 32)
    use: DetectorUse | None = None


class LivenessInput(_Part):
    """The crop of a liveness network.

    `crop_scale` is the side of the crop relative to the face's box; `genuine_class` is the class of
    a genuine face.
    """

    size_px: int = Field(ge=16, le=1024)
    crop_scale: float = Field(gt=0, le=10)
    colours: Colours
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    genuine_class: int = 1


class CatalogueEntry(_Part):
    """A published network.

    `bytes` and `sha256` are those of the network's file, if a source states them; `about_bytes` is
    a rounded size. `facts` names the sources of the preprocessing. A network whose file is not
    published has no sources, but a `recipe`, which describes how to make it.
    """

    name: str = Field(pattern=f"^{_NAME}$")
    kind: Kind
    description: str
    license: License
    training_data: str
    facts: tuple[str, ...] = Field(min_length=1)
    bytes: int | None = Field(None, ge=1)
    about_bytes: int | None = Field(None, ge=1)
    sha256: Sha256 | None = None
    sources: tuple[Source, ...] = ()
    recipe: str | None = None
    figures: tuple[Figure, ...] = ()
    embedder: EmbedderInput | None = None
    detector: DetectorInput | None = None
    liveness: LivenessInput | None = None

    @model_validator(mode="after")
    def _complete(self) -> "CatalogueEntry":
        given = {
            kind for kind in ("embedder", "detector", "liveness") if getattr(self, kind) is not None
        }
        if given != {self.kind}:
            raise ValueError(f"a card of kind {self.kind} has a table [{self.kind}], and no other")
        if bool(self.sources) == (self.recipe is not None):
            raise ValueError("a card names its sources, or else its recipe")
        return self

    @property
    def needs_acceptance(self) -> bool:
        """Whether the licence must be accepted before the file is fetched."""
        return self.license.commercial != "yes"

    @property
    def dimension(self) -> int | None:
        return None if self.embedder is None else self.embedder.dimension

    @property
    def most_bytes(self) -> int:
        """The largest allowed size of the network's file."""
        return self.bytes or _MOST_BYTES


FOLDER = Path(str(files("models.zoo.catalogue"))) / "entries"


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All cards, by name."""
    cards = sorted(FOLDER.glob("*.toml"))
    read = (
        CatalogueEntry.model_validate(tomllib.loads(card.read_text(encoding="utf-8")))
        for card in cards
    )
    return MappingProxyType({entry.name: entry for entry in read})


def find_entry(name: str) -> CatalogueEntry | None:
    return catalogue().get(name)
