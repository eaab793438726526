"""The entrance to recognition: bytes in, detected or embedded faces out."""

import asyncio
from collections.abc import Callable, Sequence

from app.errors import ImageTooLarge, ImageUnreadable, LivenessOff, StartupError
from app.observe.acting import caller
from app.observe.request_scope import Stage, deadline, note
from app.recognition.batch import BatchRecognizer, Job, Seen
from app.recognition.decode.file_kinds import FORMATS
from app.recognition.detection import BY_SETTINGS, Detection
from app.recognition.liveness.liveness_scorer import LivenessScorer
from app.recognition.scheduler import Scheduler, SchedulerOptions, SchedulerWatch
from app.recognition.select import Selection
from app.recognition.types import (
    AssessedFace,
    CutPhoto,
    DetectedPhoto,
    EmbeddedFace,
    EmbeddedPhoto,
    Embedding,
    FaceQuality,
    ModelId,
    WideCrop,
)
from app.runtime.thread_priority import give_way
from models.zoo.network import InputSpec

NICENESS = 5
_LARGE_BYTES = 500_000
"""The structure of smaller files is read in a fraction of a millisecond."""


class Recognizer:
    """Decodes, detects, aligns and embeds, never on the event loop.

    Photos wait for a free thread and are recognised in batches; see `scheduler.py`. Methods raise
    ImageUnreadable, ImageTooLarge (over `max_image_bytes`, or the limit on pixels), Overloaded when
    too many photos wait, and DeadlineExceeded when the time of the request is over.
    """

    def __init__(
        self,
        recognize: BatchRecognizer,
        *,
        scheduling: SchedulerOptions,
        max_image_bytes: int,
        prepare: Callable[[], None] = lambda: None,
        watch: SchedulerWatch | None = None,
    ) -> None:
        self.model, *following = (embedder.model for embedder in recognize.embedders)
        self.next_model: ModelId | None = next(iter(following), None)
        self.liveness = recognize.liveness
        self._recognize = recognize
        self._prepare = prepare
        self._max_image_bytes = max_image_bytes
        self._scheduler: Scheduler[Job, Seen] = Scheduler(
            recognize, scheduling, prepare=self._prepare_thread, watch=watch
        )

    @property
    def image_formats(self) -> tuple[str, ...]:
        return FORMATS

    @property
    def concurrency(self) -> int:
        """Number of photos of one request to submit at once: they keep every thread busy, or fill a
        batch, and leave places in the queue for others."""
        return self._scheduler.concurrency

    @property
    def pending(self) -> int:
        """Photos being worked on or waiting."""
        return self._scheduler.pending

    @property
    def capacity(self) -> int:
        """The most photos that can be pending."""
        return self._scheduler.capacity

    async def detect(
        self,
        image: bytes,
        *,
        liveness: Selection | None = None,
        assess: Selection | None = None,
        detection: Detection = BY_SETTINGS,
    ) -> DetectedPhoto:
        """Find all faces of an image, and assess those that `assess` selects, or else score the
        liveness of those that `liveness` selects.

        Raises LivenessOff for a selection where no liveness network is configured.
        """
        select = assess or liveness
        seen = await self._see(
            Job(image, select, liveness=liveness is not None, detection=detection)
        )
        assessed = map(AssessedFace, seen.selected, seen.qualities) if assess else ()
        return DetectedPhoto(seen.size, seen.detected, tuple(assessed))

    async def embed(
        self,
        image: bytes,
        select: Selection,
        *,
        keep_crops: bool = False,
        liveness: bool = False,
        detection: Detection = BY_SETTINGS,
    ) -> EmbeddedPhoto:
        """Find all faces of an image, and embed and assess those that `select` selects.

        With `keep_crops`, each of the first 50 has a wide crop. With `liveness`, each has a
        liveness score; raises LivenessOff where no liveness network is configured.
        """
        seen = await self._see(
            Job(
                image,
                select,
                embed=True,
                keep_crops=keep_crops,
                liveness=liveness,
                detection=detection,
            )
        )
        missing = len(seen.selected) - len(seen.wide_crops)
        crops: Sequence[WideCrop | None] = [*seen.wide_crops, *[None] * missing]
        others: Sequence[Embedding | None] = seen.next_embeddings or [None] * len(seen.selected)
        faces = tuple(
            EmbeddedFace(face, embedding, quality, other, crop)
            for face, embedding, quality, other, crop in zip(
                seen.selected, seen.embeddings, seen.qualities, others, crops, strict=True
            )
        )
        return EmbeddedPhoto(seen.size, seen.sha256, seen.detected, faces)

    async def cut(self, image: bytes, select: Selection, spec: InputSpec) -> CutPhoto:
        """Find all faces of an image, and cut out those that `select` selects.

        The crops are those that `embed` gives to a network of this `spec`.
        """
        seen = await self._see(Job(image, select, crop=spec))
        return CutPhoto(seen.size, seen.detected, tuple(seen.crops))

    def quality_of(self, embedding: Embedding) -> FaceQuality:
        """The quality of a face, as far as its embedding alone shows it."""
        return self._recognize.with_embedding(FaceQuality({}), embedding)

    async def warm_up(self) -> None:
        """Run every network once, to find a broken one before the first request.

        Raises StartupError when the embedder gives no usable embedding.
        """
        try:
            await asyncio.to_thread(self._try_networks)
        except FloatingPointError as error:
            names = self.model.name if self.next_model is None else f"{self.model.name} or the next"
            raise StartupError(
                f"the embedder {names} does not work: {error}; check its weights "
                "and, for an ONNX network, its mean and std"
            ) from error

    def require_liveness(self) -> LivenessScorer:
        """Return the scorer. Raises LivenessOff where there is none."""
        if self.liveness is None:
            raise LivenessOff("no liveness network is configured")
        return self.liveness

    def require_size(self, image_bytes: int) -> None:
        """Raises ImageTooLarge for a file over the limit of bytes, which need not be read yet."""
        if image_bytes > self._max_image_bytes:
            raise ImageTooLarge(
                f"the file has {image_bytes / 1e6:.1f} MB, and the limit is "
                f"{self._max_image_bytes / 1e6:g} MB",
                setting="VULTUS_LIMITS__MAX_IMAGE_BYTES",
            )

    def require_place(self) -> None:
        """Raises Overloaded when no more photos of the actor may wait."""
        self._scheduler.require_place(caller())

    def begin_stop(self) -> None:
        """Refuse waiting photos and further ones with Stopping."""
        self._scheduler.begin_stop()

    def stop(self, within_s: float | None = None) -> bool:
        """Finish the photos that are worked on, refuse waiting ones, and end the threads.

        Photos that are decoded in a process of their own are not waited for. Returns whether the
        threads ended `within_s` seconds.
        """
        self._recognize.end_decoding()
        return self._scheduler.stop(within_s)

    def _prepare_thread(self) -> None:
        self._prepare()
        # Each thread computes for tens of milliseconds at a time. At the same priority, the event
        # loop would wait as long for a core, and with it every request.
        give_way(NICENESS)

    def _try_networks(self) -> None:
        self._prepare()
        self._recognize.try_networks()

    async def _is_heavy(self, image: bytes) -> bool:
        """Return whether a photo takes much longer than others, by its size in pixels."""
        if len(image) > _LARGE_BYTES:
            return await asyncio.to_thread(self._recognize.is_heavy, image)
        return self._recognize.is_heavy(image)

    async def _see(self, job: Job) -> Seen:
        if job.liveness:
            self.require_liveness()
        self.require_size(len(job.image))
        if not job.image:
            raise ImageUnreadable("the image is empty")
        done = await self._scheduler.submit(
            job, deadline=deadline(), caller=caller(), is_heavy=await self._is_heavy(job.image)
        )
        note(Stage.QUEUE, done.waited_s)
        for stage, seconds in done.result.seconds.items():
            note(stage, seconds)
        return done.result
