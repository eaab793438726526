"""Files become faces and embeddings, within the limits."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from app.datasets.photo_set import subject_selection
from app.datasets.photo_source import SubjectRule
from app.errors import ImageTooLarge, ImageUnreadable, StartupError
from app.recognition.align import align
from app.recognition.batch import BatchRecognizer
from app.recognition.decode.file_kinds import FORMATS
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from app.recognition.embedder import NetworkEmbedder
from app.recognition.memory_budget import MemoryBudget
from app.recognition.pipeline import Recognizer
from app.recognition.scheduler import SchedulerOptions
from app.recognition.select import largest_face, largest_faces, only_face
from app.recognition.types import DetectedFace, ImageSize
from models.zoo.network import Crops, Embeddings, Network, Precision
from models.zoo.serving.backends import Backend
from tests.kit.photos import astronaut, coffee, encoded, group, hopper, pixels

_BYTES_CAP = 1_000_000
_PIXELS_CAP = 700_000


@pytest.fixture(scope="module")
def capped(network: Network, detector: CopyingDetector) -> Iterator[Recognizer]:
    """The real thing with caps that photos of these tests can reach."""
    made = _recognizer(network, detector)
    yield made
    made.stop()


def _recognizer(network: Network, detector: CopyingDetector) -> Recognizer:
    return Recognizer(
        BatchRecognizer(
            detector=detector,
            embedders=[NetworkEmbedder(network)],
            memory=MemoryBudget(100_000_000),
            max_pixels=_PIXELS_CAP,
        ),
        scheduling=SchedulerOptions(threads=1, batch_size=4, max_waiting=10),
        max_image_bytes=_BYTES_CAP,
        prepare=lambda: limit_threads(1),
    )


async def test_embedding_is_decoding_detecting_aligning_and_embedding(
    capped: Recognizer, detector: CopyingDetector, network: Network
) -> None:
    photo = pixels(group())
    expected = detector.detect(photo)
    crops = [align(photo, face.landmarks, network.spec.input) for face in expected]
    rows = NetworkEmbedder(network).embed(crops)
    found = await capped.embed(encoded(group(), "PNG"), largest_faces(10))
    assert [face.box for face in found.detected] == [face.box for face in expected]
    assert [one.face.box for one in found.faces] == [face.box for face in expected]
    for one, row in zip(found.faces, rows, strict=True):
        np.testing.assert_allclose(one.embedding, row, atol=1e-5)


async def test_detection_finds_what_embedding_finds(capped: Recognizer) -> None:
    image = encoded(group())
    detected = await capped.detect(image)
    embedded = await capped.embed(image, largest_face)
    assert detected.size == embedded.size == ImageSize(group().width, group().height)
    boxes = [face.box for face in detected.faces]
    assert len(boxes) == 2
    assert [face.box for face in embedded.detected] == boxes


async def test_only_selected_faces_are_embedded_but_all_are_reported(capped: Recognizer) -> None:
    two = await capped.embed(encoded(group()), only_face)
    assert (len(two.detected), len(two.faces)) == (2, 0)
    largest = await capped.embed(encoded(group()), largest_face)
    assert (len(largest.detected), len(largest.faces)) == (2, 1)
    assert largest.faces[0].face.box == largest.detected[0].box
    one = await capped.embed(encoded(hopper()), only_face)
    assert (len(one.detected), len(one.faces)) == (1, 1)


@pytest.mark.parametrize(("offset", "centred"), [(0, "right"), (288, "left")])
async def test_the_central_face_is_that_of_the_upright_photo(
    capped: Recognizer, offset: int, centred: str
) -> None:
    both = group().resize((512, 300))
    canvas = Image.new("RGB", (800, 300), "gray")
    canvas.paste(both, (offset, 0))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # stored turned: its centre is not that of the picture
    turned = canvas.transpose(Image.Transpose.ROTATE_90)
    select = subject_selection(SubjectRule.CENTRAL)
    found = await capped.embed(encoded(turned, exif=exif), select)
    (face,) = found.faces
    left, right = sorted(found.detected, key=lambda one: one.centre[0])
    assert face.face is (left if centred == "left" else right)


async def test_a_photo_without_faces_has_a_size_and_a_digest(capped: Recognizer) -> None:
    image = encoded(coffee())
    found = await capped.embed(image, only_face)
    assert (found.detected, found.faces) == ((), ())
    assert found.size == ImageSize(600, 400)
    assert found.sha256 == hashlib.sha256(image).hexdigest()


async def test_the_digest_is_of_the_bytes_not_of_the_picture(capped: Recognizer) -> None:
    images = [encoded(hopper(), "PNG", compress_level=level) for level in (1, 6)]
    digests = [(await capped.embed(image, only_face)).sha256 for image in images]
    assert digests == [hashlib.sha256(image).hexdigest() for image in images]
    assert digests[0] != digests[1]


async def test_size_and_boxes_are_of_the_upright_photo(capped: Recognizer) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    sideways = hopper().transpose(Image.Transpose.ROTATE_90)
    turned = await capped.detect(encoded(sideways, "PNG", exif=exif, compress_level=1))
    upright = await capped.detect(encoded(hopper(), "PNG", compress_level=1))
    assert turned.size == upright.size == ImageSize(512, 600)
    assert [face.box for face in turned.faces] == [face.box for face in upright.faces]
    assert len(turned.faces) == 1


async def test_a_file_over_the_byte_cap_is_refused_unread(capped: Recognizer) -> None:
    image = encoded(astronaut(), "PNG", compress_level=1)
    padded = image + bytes(_BYTES_CAP - len(image))
    assert len((await capped.detect(padded)).faces) == 1
    for refused in (
        capped.detect(padded + b"\0"),
        capped.embed(b"x" * (_BYTES_CAP + 1), only_face),
    ):
        with pytest.raises(ImageTooLarge) as caught:
            await refused
        assert caught.value.setting == "VULTUS_LIMITS__MAX_IMAGE_BYTES"


async def test_a_picture_over_the_pixel_cap_is_refused(capped: Recognizer) -> None:
    large = encoded(Image.new("L", (1_000, 701)), "PNG")
    for refused in (capped.detect(large), capped.embed(large, only_face)):
        with pytest.raises(ImageTooLarge) as caught:
            await refused
        assert caught.value.setting == "VULTUS_LIMITS__MAX_PIXELS"
    allowed = await capped.detect(encoded(Image.new("L", (1_000, 700)), "PNG"))
    assert (allowed.size.width, allowed.size.height) == (1_000, 700)


@pytest.mark.parametrize("image", [b"", b"not an image"])
async def test_what_is_no_image_is_unreadable(capped: Recognizer, image: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        await capped.detect(image)
    with pytest.raises(ImageUnreadable):
        await capped.embed(image, only_face)
    assert capped.pending == 0


async def test_the_model_and_the_formats_are_those_in_use(
    capped: Recognizer, network: Network
) -> None:
    assert capped.model == NetworkEmbedder(network).model
    assert capped.image_formats == FORMATS
    assert capped.concurrency == 4, "they fill a batch"


async def test_a_selection_sees_the_faces_largest_first(capped: Recognizer) -> None:
    seen: list[list[float]] = []

    def note(faces: Sequence[DetectedFace], _: ImageSize) -> Sequence[DetectedFace]:
        seen.append([face.area_px for face in faces])
        return faces[1:]

    found = await capped.embed(encoded(group()), note)
    assert seen == [sorted((face.area_px for face in found.detected), reverse=True)]
    assert [one.face.box for one in found.faces] == [found.detected[1].box]


class _Blank:
    """A network whose weights are all zero."""

    def __init__(self, network: Network) -> None:
        self.spec = replace(network.spec)
        self.digest = "0" * 64
        self.device = "cpu"
        self.runtime: Backend = "torch"
        self.precision: Precision = "float32"

    def forward(self, crops: Crops) -> Embeddings:
        return np.zeros((len(crops), self.spec.dimension), dtype=np.float32)


async def test_warming_up_shows_a_broken_network(
    capped: Recognizer, network: Network, detector: CopyingDetector
) -> None:
    await capped.warm_up()
    broken = _recognizer(_Blank(network), detector)
    with pytest.raises(StartupError, match="does not work"):
        await broken.warm_up()
    broken.stop()


async def test_decoded_bytes_of_each_format_lead_to_the_same_face(capped: Recognizer) -> None:
    (reference,) = (await capped.embed(encoded(astronaut(), "PNG"), only_face)).faces
    for form in ("JPEG", "WEBP", "TIFF", "BMP", "AVIF"):
        image = encoded(astronaut(), form, quality=90)
        assert Image.open(BytesIO(image)).format == form
        (face,) = (await capped.embed(image, only_face)).faces
        assert face.embedding @ reference.embedding > 0.99


async def test_wide_crops_are_of_the_largest_faces_up_to_a_limit(
    capped: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.recognition.batch._MOST_WIDE_CROPS", 1)
    photo = await capped.embed(encoded(group()), largest_faces(9), keep_crops=True)
    assert [face.wide_crop is not None for face in photo.faces] == [True, False]


async def test_faces_are_assessed_without_an_embedding(capped: Recognizer) -> None:
    file = encoded(group())
    embedded = await capped.embed(file, largest_face)
    detected = await capped.detect(file, assess=largest_face)
    (assessed,) = detected.assessed
    assert len(detected.faces) == 2
    assert assessed.face.box == embedded.faces[0].face.box
    for component, value in assessed.quality.components.items():
        assert value == embedded.faces[0].quality.components[component]
    assert (await capped.detect(file)).assessed == ()
