"""SFace gives short vectors to faces that it cannot make out, and the floor goes by that."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from app.errors import Reason
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.pipeline import Recognizer
from app.recognition.select import only_face
from app.recognition.types import EmbeddedFace, QualityComponent
from app.settings import Settings
from benchmarks.accuracy.damage.bad_photos import BAD_PHOTOS, UNTOUCHED
from tests.kit.photos import astronaut, encoded, hopper, pixels

FLOOR, AUTO = QualityFilter.FLOOR, QualityFilter.AUTO
EYES_PX = 42
"""Parameters for the strengths of bad photos."""
PEOPLE = {
    name: photo.resize((round(photo.width * factor), round(photo.height * factor)))
    for name, photo, factor in (
        ("astronaut", astronaut(), EYES_PX / 44),
        ("hopper", hopper(), EYES_PX / 88),
    )
}


@pytest.fixture(scope="module")
def by_sface() -> Iterator[Recognizer]:
    settings = Settings(device="cpu", embedder="sface")
    made = build_recognizer(settings, load_configured_network(settings))
    yield made
    made.stop()


async def face_of(recognizer: Recognizer, photo: Image.Image) -> EmbeddedFace:
    (face,) = (await recognizer.embed(encoded(photo, "PNG"), only_face)).faces
    return face


async def bad_face(recognizer: Recognizer, person: str, kind: str) -> EmbeddedFace:
    photo = PEOPLE[person]
    landmarks = (await face_of(recognizer, photo)).face.landmarks
    made = BAD_PHOTOS[kind](pixels(photo), landmarks, np.random.default_rng(3))
    return await face_of(recognizer, Image.fromarray(made))


@pytest.mark.parametrize("person", PEOPLE)
async def test_good_photo_is_distinctive(by_sface: Recognizer, person: str) -> None:
    face = await face_of(by_sface, PEOPLE[person])
    measured = face.quality.components[QualityComponent.DISTINCTIVENESS]
    assert measured.raw > 0.8
    assert not shortcomings(face.quality, QualityFilter.MEDIUM)


@pytest.mark.parametrize(
    ("kind", "person"),
    [("mask", "astronaut"), ("sunglasses", "astronaut"), ("sunglasses", "hopper")],
)
async def test_covered_face_that_is_recognised_is_above_the_floor_and_not_enrolled(
    by_sface: Recognizer, person: str, kind: str
) -> None:
    good = await bad_face(by_sface, person, UNTOUCHED)
    face = await bad_face(by_sface, person, kind)
    assert float(face.embedding @ good.embedding) > 0.45
    assert not shortcomings(face.quality, FLOOR)
    assert Reason.OCCLUDED_FACE in shortcomings(face.quality, AUTO).reasons


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("kind", ["noise of 60", "JPEG 3", "blur of 6"])
async def test_face_that_is_not_made_out_is_below_the_floor(
    by_sface: Recognizer, person: str, kind: str
) -> None:
    face = await bad_face(by_sface, person, kind)
    assert shortcomings(face.quality, FLOOR)
    assert face.quality.recognisable_by is QualityComponent.DISTINCTIVENESS


async def test_embedding_that_came_alone_is_judged_by_its_direction(by_sface: Recognizer) -> None:
    good = by_sface.quality_of((await face_of(by_sface, PEOPLE["hopper"])).embedding)
    bad = by_sface.quality_of((await bad_face(by_sface, "hopper", "blur of 6")).embedding)
    values = [one.components[QualityComponent.DISTINCTIVENESS].raw for one in (good, bad)]
    assert values[0] > values[1] + 1
    assert not shortcomings(good, FLOOR)
    assert good.recognisable_by is None
