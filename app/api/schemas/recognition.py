"""Detect, embed, verify, identify and search."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.api.schemas import examples
from app.api.schemas.fields import (
    MAX_DIMENSION,
    BoxArray,
    CollectionName,
    ErrorRate,
    Flag,
    IdentityRef,
    ImageBytes,
    QualityLevel,
    QualityScore,
    RecordId,
    Schema,
    Similarity,
    Threshold,
    TopK,
    parse_json_text,
)
from app.api.schemas.filters import FilterBody, FilterObject, TerminalId
from app.api.schemas.gallery import IdentityBody, ModelBody, PassedOverBody
from app.api.schemas.problem import RejectedImageBody
from app.gallery.records import Candidate
from app.operations.choices import QualityFilter, VerifyFaces
from app.operations.decisions import Decision, SearchOptions, Stage, Status
from app.operations.identify import Identification, IdentifiedFace
from app.operations.rate_claims import RateReason
from app.operations.verify import Comparison, VerifyStatus
from app.recognition.types import (
    DetectedFace,
    DetectedPhoto,
    EmbeddedFace,
    EmbeddedPhoto,
    ImageSize,
    Landmarks,
    Liveness,
    ModelId,
    Shade,
)
from models.evaluation.calibration import similarity_map as calibration

DEFAULT_TOP_K = 5

RATE_REASON: Any = Field(
    None,
    description="Why no error rate is answered: `low_quality` (the face is below the level "
    "`floor`, where no rate holds), `rejected` (it was not compared), `nobody_enrolled`, "
    "`not_measured` (the embedder is not calibrated). Null when one is.",
)


class ImageBody(Schema):
    """One photo."""

    image: ImageBytes


LivenessOption = Annotated[
    Flag,
    Field(
        description="Score how likely each face was before the camera itself, and is no picture of "
        "one; needs VULTUS_LIVENESS__NAME. Nothing is refused because of it."
    ),
]


class DetectBody(ImageBody):
    """A photo whose faces are found."""

    liveness: LivenessOption = False


class StageBody(Schema):
    """Some of the people, tried before those of the next stage."""

    filter: FilterObject = Field(default_factory=FilterBody)
    threshold: Threshold | None = None


StageList = Annotated[
    list[StageBody],
    Field(fail_fast=True, min_length=1, max_length=10),
    BeforeValidator(parse_json_text),
]


class SearchOptionsBody(Schema):
    """How a face is looked up."""

    top_k: TopK = DEFAULT_TOP_K
    threshold: Threshold | None = None
    target_fpir: ErrorRate | None = Field(
        None,
        description="Instead of `threshold`: the share of strangers who may be given a name, "
        "however many people are searched.",
        examples=[0.01],
    )
    filter: FilterObject | None = Field(
        None, description="Look among these people only. In a form: as JSON text."
    )
    stages: StageList | None = Field(
        None,
        description="Tried in order; the first with a match answers. In a form: as JSON text.",
    )
    terminal_id: TerminalId | None = Field(
        None,
        description="Try those first who were matched at this terminal lately, and remember "
        "whoever is matched now.",
    )
    min_revision: int | None = Field(
        None,
        ge=0,
        le=2**63 - 1,
        description="A revision that a write answered: the answer is not older than it.",
    )

    @model_validator(mode="after")
    def _threshold_or_rate(self) -> Self:
        if self.threshold is not None and self.target_fpir is not None:
            raise ValueError("send either threshold or target_fpir")
        return self

    @model_validator(mode="after")
    def _filter_or_stages(self) -> Self:
        if self.filter is not None and self.stages is not None:
            raise ValueError("send either filter or stages; a stage has a filter of its own")
        return self

    def options(self) -> SearchOptions:
        stages = self.stages
        if stages is None:
            stages = [StageBody(filter=self.filter or FilterBody())]
        return SearchOptions(
            top_k=self.top_k,
            threshold=self.threshold,
            target_fpir=self.target_fpir,
            stages=tuple(
                Stage(stage.filter.people(), stage.threshold, place)
                for place, stage in enumerate(stages)
            ),
            terminal_id=self.terminal_id,
            min_revision=self.min_revision,
        )


class IdentifyOptionsBody(SearchOptionsBody):
    """How the faces of a photo are looked up."""

    max_faces: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="Look up this many faces at most, largest first. More than the server's own "
        "limit (`max_faces` of GET /v1/info) is refused.",
    )
    quality_filter: QualityLevel = QualityFilter.FLOOR
    liveness: LivenessOption = False


class IdentifyBody(IdentifyOptionsBody):
    """A photo whose faces are looked up."""

    image: ImageBytes


class VerifyBody(Schema):
    """Either `image_a` and `image_b`, or `image`, `collection` and `identity_id`."""

    image_a: ImageBytes | None = None
    image_b: ImageBytes | None = None
    image: ImageBytes | None = None
    collection: CollectionName | None = None
    identity_id: IdentityRef | None = None
    threshold: Threshold | None = None
    target_fmr: ErrorRate | None = Field(
        None,
        description="Instead of `threshold`: the share of strangers who may match.",
        examples=[1e-4],
    )
    faces: VerifyFaces = Field(
        VerifyFaces.SINGLE,
        description="A photo of several faces: refuse it, take the largest, or (`any`) compare "
        "each, up to 32 a photo, for `target_fmr` of all these comparisons together.",
    )
    quality_filter: QualityLevel = QualityFilter.FLOOR
    liveness: LivenessOption = False

    @model_validator(mode="after")
    def _threshold_or_rate(self) -> Self:
        if self.threshold is not None and self.target_fmr is not None:
            raise ValueError("send either threshold or target_fmr")
        return self

    @model_validator(mode="after")
    def _one_of_two_ways(self) -> "VerifyBody":
        pair = (self.image_a, self.image_b)
        enrolled = (self.image, self.collection, self.identity_id)
        if None not in pair and set(enrolled) == {None}:
            return self
        if None not in enrolled and set(pair) == {None}:
            return self
        raise ValueError("send either image_a and image_b, or image, collection and identity_id")


class SearchBody(SearchOptionsBody):
    """Either an `embedding` or the `face_id` of an enrolled face."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_id": examples.FACE_ID}]})

    embedding: Annotated[list[float], Field(fail_fast=True)] | None = Field(
        None, min_length=1, max_length=MAX_DIMENSION, description="As POST /v1/embed answers it."
    )
    face_id: RecordId | None = None

    @model_validator(mode="after")
    def _one_probe(self) -> "SearchBody":
        if (self.embedding is None) == (self.face_id is None):
            raise ValueError("send either embedding or face_id")
        return self


class ImageSizeBody(BaseModel):
    """Size of the upright image, in pixels, and what of the file it shows."""

    width: int
    height: int
    rows_decoded: int | None = Field(
        None,
        description="Where the file is cut off: how many of its rows are there. The rest is gray, "
        "and no face is looked for in it. Null when the file is whole.",
    )
    frames: int = Field(
        1, description="Pictures in the file: pages, frames of an animation, views."
    )
    frame_used: int = Field(
        0, description="Which of them was looked at, from 0: the first that is not blank."
    )
    shade: Shade | None = Field(
        None,
        description="Where no face was found because the picture shows nothing: what it is all "
        "over, but for specks.",
    )
    smallest_face_px: int | None = Field(
        None,
        description="Side of the smallest face that was looked for, in pixels of this image; it "
        "follows from the image's size and the server's settings.",
    )

    @classmethod
    def of(cls, size: ImageSize) -> "ImageSizeBody":
        return cls(
            width=size.width,
            height=size.height,
            rows_decoded=size.rows_decoded,
            frames=size.frames,
            frame_used=size.frame_used,
            shade=size.shade,
            smallest_face_px=size.smallest_face_px,
        )


class FaceInPhoto(BaseModel):
    box: BoxArray
    detection_score: float = Field(description="Probability of a face, 0 to 1.")

    @classmethod
    def of(cls, face: DetectedFace) -> "FaceInPhoto":
        return cls(box=face.box, detection_score=face.score)


class LandmarksBody(BaseModel):
    """Points [x, y] in pixels of the image, by its EXIF upright. Left and right are those of who
    sees the face upright, as `direction` says that it stands."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    mouth_left: tuple[float, float]
    mouth_right: tuple[float, float]

    @classmethod
    def of(cls, landmarks: Landmarks) -> "LandmarksBody":
        names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
        points = {name: (float(x), float(y)) for name, (x, y) in zip(names, landmarks, strict=True)}
        return cls(**points)


class DetectedFaceBody(FaceInPhoto):
    landmarks: LandmarksBody
    direction: Literal[0, 90, 180, 270] | None = Field(
        description="Where the top of the face points in the image: 0 up, 90 to the right, 180 "
        "down, 270 to the left. Null when that is not clear; such a face is not recognised."
    )

    @classmethod
    def of(cls, face: DetectedFace) -> "DetectedFaceBody":
        return cls(**detected_fields(face))


class LivenessBody(BaseModel):
    """A score for webcams. Printed photos and screens mostly score low, but so do some genuine
    photos."""

    score: float = Field(
        ge=0, le=1, description="How likely the face was before the camera itself, 0 to 1."
    )
    threshold: float | None = Field(
        description="The least score that counts as live here; null where none is set."
    )
    live: bool | None = Field(
        description="Whether the score reaches the threshold; null without a threshold."
    )

    @classmethod
    def of(cls, liveness: Liveness | None) -> "LivenessBody | None":
        if liveness is None:
            return None
        return cls(score=liveness.score, threshold=liveness.threshold, live=liveness.live)


LivenessField = Annotated[
    LivenessBody | None,
    Field(
        description="Null unless `liveness=true` was sent, and for faces beyond the server's limit "
        "of faces."
    ),
]


class ScoredFaceBody(DetectedFaceBody):
    liveness: LivenessField

    @classmethod
    def of(cls, face: DetectedFace) -> "ScoredFaceBody":
        return cls(**detected_fields(face), liveness=LivenessBody.of(face.liveness))


class ComparedFaceBody(FaceInPhoto):
    liveness: LivenessField

    @classmethod
    def of(cls, face: DetectedFace) -> "ComparedFaceBody":
        return cls(
            box=face.box, detection_score=face.score, liveness=LivenessBody.of(face.liveness)
        )


class EmbeddedFaceBody(DetectedFaceBody):
    quality: QualityScore
    embedding: list[float] | None = Field(
        description="Unit length. Null when the face's `direction` is not clear: embeddings of "
        "faces that are the wrong way up are alike, whoever they show."
    )

    @classmethod
    def of_embedded(cls, face: EmbeddedFace) -> "EmbeddedFaceBody":
        return cls(
            **detected_fields(face.face),
            quality=face.quality.unified,
            embedding=None if face.face.direction is None else face.embedding.tolist(),
        )


class PhotoAnswer(BaseModel):
    """What every answer about the faces of one photo says: a limit never shortens it unnoticed."""

    faces_found: int = Field(description="How many faces the photo has.")
    faces_used: int = Field(
        description="How many of them are answered, the largest first; fewer than `faces_found` "
        "where `max_faces`, or the server's own limit of faces, left some out."
    )
    image: ImageSizeBody


class DetectAnswer(PhotoAnswer):
    faces: list[ScoredFaceBody] = Field(description="Largest first.")

    @classmethod
    def of(cls, photo: DetectedPhoto) -> "DetectAnswer":
        return cls(
            faces=[ScoredFaceBody.of(face) for face in photo.faces],
            faces_found=len(photo.faces),
            faces_used=len(photo.faces),
            image=ImageSizeBody.of(photo.size),
        )


class EmbedAnswer(PhotoAnswer):
    faces: list[EmbeddedFaceBody] = Field(description="Largest first.")
    model: ModelBody

    @classmethod
    def of(cls, photo: EmbeddedPhoto, model: ModelBody) -> "EmbedAnswer":
        return cls(
            faces=[EmbeddedFaceBody.of_embedded(face) for face in photo.faces],
            faces_found=len(photo.detected),
            faces_used=len(photo.faces),
            image=ImageSizeBody.of(photo.size),
            model=model,
        )


class ErrorRateBody(BaseModel):
    """A rate, 0 to 1, that was measured, and its 95 % interval."""

    value: float
    low: float
    high: float
    extrapolated: bool = Field(description="So few pairs are so alike that it is an estimate.")

    @classmethod
    def of(cls, rate: calibration.ErrorRate | None) -> "ErrorRateBody | None":
        if rate is None:
            return None
        return cls(value=rate.value, low=rate.low, high=rate.high, extrapolated=rate.extrapolated)


class SearchedBody(BaseModel):
    """Among how many a face was looked for; of more than 10,000 faces, to within one per cent."""

    people: int
    faces: int


class CandidateBody(BaseModel):
    """A person, compared by the mean of their examples."""

    identity_id: str
    external_id: str | None
    name: str | None
    similarity: Similarity
    face_id: str = Field(description="The most similar of their faces.")
    examples: int = Field(description="How many faces of theirs the similarity was taken to.")

    @classmethod
    def of(cls, candidate: Candidate) -> "CandidateBody":
        return cls(
            identity_id=candidate.identity.id,
            external_id=candidate.identity.external_id,
            name=candidate.identity.name,
            similarity=candidate.similarity,
            face_id=candidate.face_id,
            examples=candidate.examples,
        )


class DecisionBody(BaseModel):
    status: Status = Field(
        description="`unknown`: nobody enrolled is similar enough. `ambiguous`: several are, and "
        "the most similar are too close to tell; see `candidates`. `rejected`: the face is not "
        "good enough for `quality_filter`, and was not searched."
    )
    identity: IdentityBody | None = Field(description="Who it is; null unless it is a match.")
    similarity: Similarity | None = Field(
        description="Of the most similar person, match or not; null when nobody is enrolled."
    )
    threshold: Threshold
    fpir: ErrorRateBody | None = Field(
        description="The chance that a stranger is at least as similar to somebody among those "
        "searched; null for the reason that `rate_reason` says."
    )
    rate_reason: RateReason | None = RATE_REASON
    searched: SearchedBody
    candidates: list[CandidateBody] = Field(
        description="The most similar people, whether or not they match, most alike first."
    )
    matched_stage: int | Literal["terminal"] | None = Field(
        description="Which of the `stages` matched, from 0 (also when none were sent), or "
        "`terminal`; null when unknown."
    )
    unknown_group_id: str | None = Field(
        description="The group of unknown faces that it was put into; null where the collection "
        "keeps none."
    )


class IdentifiedFaceBody(DetectedFaceBody, DecisionBody):
    liveness: LivenessField
    quality: QualityScore
    reasons: list[str] = Field(
        description="Why it was rejected by `quality_filter`; then it was not searched.",
        examples=[[]],
    )
    detail: str | None = Field(
        description="The reasons as a text that says values and remedies; null when there are none."
    )

    @classmethod
    def of_identified(cls, found: IdentifiedFace) -> "IdentifiedFaceBody":
        return cls(
            **detected_fields(found.face),
            **_decided(found.decision),
            liveness=LivenessBody.of(found.face.liveness),
            quality=found.quality.unified,
            reasons=list(found.decision.reasons),
            detail=found.decision.detail,
        )


class IdentifyAnswer(PhotoAnswer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.IDENTIFICATION]})

    faces: list[IdentifiedFaceBody] = Field(description="Largest first.")
    model: ModelBody

    @classmethod
    def of(cls, done: Identification) -> "IdentifyAnswer":
        return cls(
            faces=[IdentifiedFaceBody.of_identified(face) for face in done.faces],
            faces_found=done.faces_found,
            faces_used=len(done.faces),
            image=ImageSizeBody.of(done.size),
            model=ModelBody.of(done.model),
        )


class SearchAnswer(DecisionBody):
    model: ModelBody

    @classmethod
    def of_decision(cls, decision: Decision, model: ModelId) -> "SearchAnswer":
        return cls(**_decided(decision), model=ModelBody.of(model))


class ComparisonBody(BaseModel):
    """How alike two faces are, or a face and the enrolled person."""

    face_indices: list[int] = Field(
        description="Places among the faces of `image_a` and of `image_b`, or of `image`, from 0, "
        "largest first: as POST /v1/detect lists them."
    )
    boxes: list[BoxArray]
    similarity: Similarity

    @classmethod
    def of(cls, found: Comparison) -> "ComparisonBody":
        return cls(
            face_indices=list(found.indices),
            boxes=[face.box for face in found.faces],
            similarity=found.similarity,
        )


class VerifyAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.VERIFICATION]})

    status: VerifyStatus = Field(
        description="`rejected`: a face is not good enough for `quality_filter`; nothing was "
        "compared, and `rejected` says why."
    )
    match: bool = Field(description="Whether `status` is `match`.")
    similarity: Similarity | None = Field(description="Null when nothing was compared.")
    threshold: Threshold
    fmr: ErrorRateBody | None = Field(
        description="The chance that two strangers are at least this similar, in any of the "
        "`comparisons`: of k, k times that of one. Null for the reason that `rate_reason` says."
    )
    rate_reason: RateReason | None = RATE_REASON
    rejected: list[RejectedImageBody] = Field(
        description="The photos whose face is not good enough; empty unless `status` is `rejected`."
    )
    faces: list[ComparedFaceBody] = Field(
        description="The faces compared, one an image; with `faces=any` those that come nearest "
        "to a match."
    )
    comparisons: list[ComparisonBody] = Field(
        description="All that were made, the most alike first; one, unless `faces=any` was sent."
    )
    passed_over: list[PassedOverBody] = Field(
        description="Other faces on the photos, which were not compared."
    )
    identity: IdentityBody | None = Field(None, description="The enrolled person compared with.")
    face_id: str | None = Field(None, description="Their face that is most alike.")
    examples: int | None = Field(
        None, description="How many faces of theirs the similarity was taken to."
    )
    model: ModelBody


def detected_fields(face: DetectedFace) -> dict[str, Any]:
    return {
        "box": face.box,
        "detection_score": face.score,
        "landmarks": LandmarksBody.of(face.landmarks),
        "direction": None if face.direction is None else face.direction.value,
    }


def _decided(decision: Decision) -> dict[str, Any]:
    identity = decision.identity
    return {
        "status": decision.status,
        "identity": None if identity is None else IdentityBody.of(identity),
        "similarity": decision.similarity,
        "threshold": decision.threshold,
        "fpir": ErrorRateBody.of(decision.fpir),
        "rate_reason": decision.rate_reason,
        "searched": SearchedBody(people=decision.searched.people, faces=decision.searched.faces),
        "candidates": [CandidateBody.of(candidate) for candidate in decision.candidates],
        "matched_stage": decision.matched_stage,
        "unknown_group_id": decision.unknown_group_id,
    }
