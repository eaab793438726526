"""The only door to recognition: bytes in, detected or embedded faces out."""

import hashlib
from collections.abc import Callable

import numpy as np

from app.errors import ImageTooLarge, ImageUnreadable, StartupError
from app.recognition.align import align
from app.recognition.decode import FORMATS, decode
from app.recognition.detector import Detector
from app.recognition.embedder import Embedder
from app.recognition.quality.assess import assess
from app.recognition.scheduler import WorkerPool
from app.recognition.select import Selection, central_face
from app.recognition.types import (
    AssessedFace,
    AssessedPhoto,
    DetectedPhoto,
    EmbeddedFace,
    EmbeddedPhoto,
    ImageSize,
    ModelId,
    Pixels,
)


class Recognizer:
    """Decodes, detects, aligns and embeds, always in a worker thread.

    Caps: `max_image_bytes` on the file, `max_pixels` on the picture (width x height).
    """

    def __init__(
        self,
        *,
        detector: Detector,
        embedder: Embedder,
        workers: WorkerPool,
        max_image_bytes: int,
        max_pixels: int,
    ) -> None:
        self._detector = detector
        self._embedder = embedder
        self._workers = workers
        self._max_image_bytes = max_image_bytes
        self._max_pixels = max_pixels

    @property
    def model(self) -> ModelId:
        return self._embedder.model

    @property
    def image_formats(self) -> tuple[str, ...]:
        return FORMATS

    @property
    def concurrency(self) -> int:
        """How many photos are worked on at once; more of them only wait."""
        return self._workers.workers

    @property
    def pending(self) -> int:
        """Photos being worked on or waiting."""
        return self._workers.pending

    async def detect(self, image: bytes) -> DetectedPhoto:
        """Find all faces of an image. Raises ImageUnreadable, ImageTooLarge or Overloaded."""
        return await self._workers.run(lambda: self._detect(image))

    async def embed(self, image: bytes, select: Selection) -> EmbeddedPhoto:
        """Find all faces of an image; embed those that `select` picks, and assess their quality.

        Raises ImageUnreadable, ImageTooLarge or Overloaded.
        """
        return await self._workers.run(lambda: self._embed(image, lambda _: select))

    async def embed_central(self, image: bytes) -> EmbeddedPhoto:
        """Find all faces of an image and embed the one nearest its centre. Raises as `embed`."""
        return await self._workers.run(
            lambda: self._embed(image, lambda size: central_face(size.width, size.height))
        )

    async def assess(self, image: bytes, select: Selection) -> AssessedPhoto:
        """Find the faces of an image and assess the quality of those that `select` picks.

        Raises ImageUnreadable, ImageTooLarge or Overloaded.
        """
        return await self._workers.run(lambda: self._assess(image, select))

    async def warm_up(self) -> None:
        """Run every network once, so that a broken one shows before the first request.

        Raises StartupError when the embedder gives no usable embedding.
        """
        try:
            await self._workers.run(self._try_networks)
        except FloatingPointError as error:
            raise StartupError(
                f"the embedder {self.model.name} does not work: {error}; check its weights "
                "and, for an ONNX network, its mean and std"
            ) from error

    def require_size(self, image_bytes: int) -> None:
        """Raises ImageTooLarge for a file over the byte cap; may be asked before it is read."""
        if image_bytes > self._max_image_bytes:
            raise ImageTooLarge(
                f"{image_bytes / 1e6:.1f} MB; the limit is {self._max_image_bytes / 1e6:g} MB "
                "(VULTUS_LIMITS__MAX_IMAGE_BYTES)"
            )

    def stop(self) -> None:
        self._workers.stop()

    def _detect(self, image: bytes) -> DetectedPhoto:
        photo = self._decode(image)
        return DetectedPhoto(_size(photo), self._detector.detect(photo))

    def _embed(self, image: bytes, choose: Callable[[ImageSize], Selection]) -> EmbeddedPhoto:
        photo = self._decode(image)
        detected = self._detector.detect(photo)
        selected = choose(_size(photo))(detected)
        crops = [align(photo, face.landmarks, self._embedder.input) for face in selected]
        rows = self._embedder.embed(crops)
        embedded = [
            EmbeddedFace(face, row, assess(photo, face))
            for face, row in zip(selected, rows, strict=True)
        ]
        digest = hashlib.sha256(image).hexdigest()
        return EmbeddedPhoto(_size(photo), digest, detected, tuple(embedded))

    def _assess(self, image: bytes, select: Selection) -> AssessedPhoto:
        photo = self._decode(image)
        selected = select(self._detector.detect(photo))
        faces = tuple(AssessedFace(face, assess(photo, face)) for face in selected)
        return AssessedPhoto(_size(photo), faces)

    def _decode(self, image: bytes) -> Pixels:
        self.require_size(len(image))
        if not image:
            raise ImageUnreadable("the image is empty; send the file's bytes")
        return decode(image, max_pixels=self._max_pixels)

    def _try_networks(self) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
        self._detector.detect(noise)
        template = np.asarray(self._embedder.input.template, dtype=np.float32)
        self._embedder.embed([align(noise, template, self._embedder.input)])


def _size(photo: Pixels) -> ImageSize:
    return ImageSize(width=photo.shape[1], height=photo.shape[0])
