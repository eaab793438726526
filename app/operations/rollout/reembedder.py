"""Embed enrolled faces by another embedder, from their photos or kept crops."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from app.datasets.photo_listing import photos_below
from app.datasets.photo_set import photo_sha256
from app.errors import ImageTooLarge, ImageUnreadable
from app.gallery.rollout.rollouts import Rollouts
from app.gallery.store.repositories.rollout_repository import WaitingFace
from app.operations.enroll.crop_vault import CropSealedOtherwiseError, CropVault
from app.recognition.align import align
from app.recognition.decode.photo_file import decode
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.types import Box, DetectedFace, Embedding, Landmarks, Pixels

_FACES_A_TASK = 16
_LEAST_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A face that could not be embedded, and why."""

    face_id: str
    identity_id: str
    reason: str


@dataclass(slots=True)
class Reembedded:
    """The result of a run."""

    faces: int = 0
    without_source: list[Unembedded] = field(default_factory=list)


class _NoSourceError(Exception):
    """A face without a photo or crop to embed; its text says why."""


class PhotoFolder:
    """The photos in a folder and all folders in it, found by the SHA-256 of their bytes."""

    def __init__(self, folder: Path) -> None:
        """Read all photos. Raises InvalidRequest if one cannot be read."""
        self._by_sha256 = {photo_sha256(path): path for path in photos_below(folder)}

    def find(self, sha256: str) -> Path | None:
        return self._by_sha256.get(sha256)


class Reembedder:
    """Embeds enrolled faces by `embedder`, from their photos or from kept crops.

    A face is cut out of its photo by the stored landmarks. Without any, `detector` finds the face
    in the stored box.
    """

    def __init__(
        self,
        reembedding: Rollouts,
        embedder: NetworkEmbedder,
        photos: PhotoFolder | None,
        *,
        detector: CopyingDetector,
        vault: CropVault | None = None,
        max_pixels: int,
        threads: int,
    ) -> None:
        self._reembedding = reembedding
        self._embedder = embedder
        self._photos = photos
        self._detector = detector
        self._vault = vault
        self._max_pixels = max_pixels
        self._threads = threads

    def run(
        self, collection: str, *, progress: Callable[[int], None] = lambda _: None
    ) -> Reembedded:
        """Embed each face that has no embedding by the embedder yet, new faces included. Safe to
        run again.

        `progress` is called with the number of faces since its last call. Raises CollectionNotFound
        and RolloutImpossible.
        """
        done = Reembedded()
        self._reembedding.begin(collection, self._embedder.model)
        after = 0
        with ThreadPoolExecutor(self._threads) as pool:
            while page := self._reembedding.waiting(
                collection, self._embedder.model, after=after, limit=self._threads * _FACES_A_TASK
            ):
                tasks = [page[i : i + _FACES_A_TASK] for i in range(0, len(page), _FACES_A_TASK)]
                embeddings: dict[int, Embedding] = {}
                for embedded, failed in pool.map(self._embed, tasks):
                    embeddings |= embedded
                    done.without_source += failed
                if embeddings:
                    done.faces += self._reembedding.add(
                        collection, self._embedder.model, embeddings
                    )
                after = page[-1].number
                progress(len(page))
        return done

    def _embed(self, faces: Sequence[WaitingFace]) -> tuple[dict[int, Embedding], list[Unembedded]]:
        numbers, crops, failed = [], [], []
        for face in faces:
            try:
                crops.append(self._crop(face))
                numbers.append(face.number)
            except (_NoSourceError, ImageUnreadable, ImageTooLarge) as error:
                failed.append(Unembedded(face.face_id, face.identity_id, str(error)))
        return dict(zip(numbers, self._embedder.embed(crops), strict=True)), failed

    def _crop(self, face: WaitingFace) -> Pixels:
        """Raises _NoSourceError, ImageUnreadable and ImageTooLarge."""
        if face.box is None or face.image_sha256 is None:
            raise _NoSourceError("it was enrolled from an embedding; enroll the person from photos")
        path = None if self._photos is None else self._photos.find(face.image_sha256)
        if path is None and face.sealed_crop is not None:
            return self._from_crop(face.face_id, face.sealed_crop)
        if path is None:
            raise _NoSourceError(
                f"there is no photo of SHA-256 {face.image_sha256}; give the folder that has it, "
                "or delete the face and enroll another photo"
            )
        try:
            pixels = decode(path.read_bytes(), max_pixels=self._max_pixels)
        except OSError as error:
            raise _NoSourceError(f"{path}: {error.strerror}") from error
        landmarks = face.landmarks
        if landmarks is None:
            landmarks = self._landmarks(pixels, face.box)
        return align(pixels, landmarks, self._embedder.input)

    def _from_crop(self, face_id: str, sealed: bytes) -> Pixels:
        if self._vault is None:
            raise _NoSourceError("its crop is encrypted; set VULTUS_CROPS_KEY")
        try:
            crop = self._vault.open(face_id, sealed)
        except CropSealedOtherwiseError as error:
            raise _NoSourceError(
                "its crop was encrypted with another VULTUS_CROPS_KEY, or is damaged; set that "
                "key, or give the folder of its photo"
            ) from error
        return align(crop.pixels, crop.landmarks, self._embedder.input)

    def _landmarks(self, pixels: Pixels, box: Box) -> Landmarks:
        (found,) = self._detector.detect_all([pixels])
        best: DetectedFace | None = max(
            found, key=lambda face: _overlap(face.box, box), default=None
        )
        if best is None or _overlap(best.box, box) < _LEAST_OVERLAP:
            raise _NoSourceError(
                "no face is found in its photo where it was; delete the face and enroll another "
                "photo"
            )
        return best.landmarks


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / both if both > 0 else 0.0
