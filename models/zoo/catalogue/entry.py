"""The card of a published network: what it is, where it lies, who may use it, how it is run.

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

from models.zoo.names import Colours, TemplateName

Kind = Literal["embedder", "detector", "liveness"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Url = Annotated[str, Field(pattern=r"^https://[^/?#\s]+/[^?#\s]+$")]
Triple = tuple[float, float, float]

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
        """The name, with whether it allows commercial use where it does not."""
        remarks = {"yes": "", "no": "; no commercial use", "unclear": "; commercial use is unclear"}
        return self.name + remarks[self.commercial]


class Figure(_Part):
    """An accuracy that was published, in percent, and where; it was not measured with Vultus.

    Of a benchmark "at 1e-4", it is the true accept rate at that false match rate.
    """

    benchmark: str
    value: float = Field(gt=0, le=100)
    source: str = Field(min_length=1)


class Source(_Part):
    """A place to fetch the file from. The first of a card is tried first.

    With `member`, the place holds a zip archive, whose size and SHA-256 are `bytes` and `sha256`,
    and the file is the one of that name in it. Without, both are left to the file itself.
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
        """The name of what is fetched."""
        return PurePosixPath(urlsplit(self.url).path).name

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


class EmbedderInput(_Part):
    """What an embedder was trained to see, and the length of what it answers.

    A pixel p (0 to 255) of a channel enters as `(p - mean) / std`, channels in the order of
    `colours`. With `architecture`, the file has the weights of a network that Vultus builds by
    itself, and runs faster so; else the file's graph is run as it is.
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
    """How Vultus finds faces by a detector: the `family` says what runs it.

    `score` says what the reported score (0 to 1) means; `min_score` is the least that counts as a
    face, unless the user says otherwise. `finds_landmarks`: the landmarks are the detector's own;
    else MTCNN's output network finds them in its boxes.
    """

    family: Literal["scrfd", "yunet"]
    score: str = Field(min_length=1)
    min_score: float = Field(gt=0, le=1)
    finds_landmarks: bool


class DetectorInput(_Part):
    """How pictures enter a detector; `strides` are those of its maps, in pixels.

    `use` is None for a detector that is fetched for other programs alone.
    """

    mean: Triple
    std: Triple
    colours: Colours
    strides: tuple[int, ...] = (8, 16, 32)
    use: DetectorUse | None = None


class LivenessInput(_Part):
    """How faces enter a liveness network.

    `crop_scale`: sides of its crop, by those of the face's box; `genuine_class`: the class of its
    answer that stands for a genuine face.
    """

    size_px: int = Field(ge=16, le=1024)
    crop_scale: float = Field(gt=0, le=10)
    colours: Colours
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    genuine_class: int = 1


class CatalogueEntry(_Part):
    """A published network.

    `bytes` and `sha256` are those of the network's own file, where a source states them;
    `about_bytes` is its rounded size where only that is known.
    `facts` names the sources of the preprocessing. `recipe` stands in place of sources for a
    network whose file is not published: it says how to make it.
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
        """Whether the licence has to be accepted before the file is fetched."""
        return self.license.commercial != "yes"

    @property
    def dimension(self) -> int | None:
        return None if self.embedder is None else self.embedder.dimension

    @property
    def most_bytes(self) -> int:
        """The largest size that the network's file may have."""
        return self.bytes or _MOST_BYTES


Catalogue = Mapping[str, CatalogueEntry]


FOLDER = Path(str(files("models.zoo.catalogue"))) / "entries"


@cache
def catalogue() -> Catalogue:
    """All cards, by name."""
    cards = sorted(FOLDER.glob("*.toml"))
    read = (
        CatalogueEntry.model_validate(tomllib.loads(card.read_text(encoding="utf-8")))
        for card in cards
    )
    return MappingProxyType({entry.name: entry for entry in read})


def find_entry(name: str) -> CatalogueEntry | None:
    return catalogue().get(name)
