"""Answers in the form of CompreFace. Fields that are None are left out."""

from pydantic import BaseModel

Embedding = list[float]
Points = list[tuple[int, int]]


class BoxBody(BaseModel):
    """Pixels of the upright photo; `probability` of a face, 0 to 1."""

    probability: float
    x_min: int
    y_min: int
    x_max: int
    y_max: int


class PoseBody(BaseModel):
    """Degrees."""

    pitch: float
    roll: float
    yaw: float


class TimesBody(BaseModel):
    """Milliseconds that a face took."""

    detector: float
    calculator: float | None = None


class VersionsBody(BaseModel):
    """Names of the networks that answered."""

    detector: str
    calculator: str | None = None
    pose: str | None = None


class FaceBody(BaseModel):
    """A face of a photo, with what the plugins say of it."""

    box: BoxBody
    landmarks: Points | None = None
    pose: PoseBody | None = None
    embedding: Embedding | None = None
    execution_time: TimesBody | None = None


class NamedSimilarity(BaseModel):
    """How alike a face is to a subject, 0 to 1."""

    subject: str
    similarity: float


class RecognizedFaceBody(FaceBody):
    subjects: list[NamedSimilarity]


class ComparedFaceBody(FaceBody):
    similarity: float


class NamedFaceBody(ComparedFaceBody):
    subject: str


class RecognizedBody(BaseModel):
    result: list[RecognizedFaceBody]
    plugins_versions: VersionsBody | None = None


class DetectedBody(BaseModel):
    result: list[FaceBody]
    plugins_versions: VersionsBody | None = None


class ComparedWithExampleBody(BaseModel):
    result: list[NamedFaceBody]
    plugins_versions: VersionsBody | None = None


class PairBody(BaseModel):
    """The face of the source, and each face of the target."""

    source_image_face: FaceBody
    face_matches: list[ComparedFaceBody]
    plugins_versions: VersionsBody | None = None


class ComparedPhotosBody(BaseModel):
    """A list of exactly one."""

    result: list[PairBody]


class RecognizedEmbeddingBody(BaseModel):
    embedding: Embedding
    similarities: list[NamedSimilarity]


class RecognizedEmbeddingsBody(BaseModel):
    result: list[RecognizedEmbeddingBody]


class ComparedEmbeddingBody(BaseModel):
    embedding: Embedding
    similarity: float


class ComparedEmbeddingsBody(BaseModel):
    result: list[ComparedEmbeddingBody]


class SubjectBody(BaseModel):
    subject: str


class SubjectsBody(BaseModel):
    subjects: list[str]


class UpdatedBody(BaseModel):
    updated: bool


class DeletedBody(BaseModel):
    deleted: int


class ExampleBody(BaseModel):
    """An enrolled face."""

    image_id: str
    subject: str


class ExamplesBody(BaseModel):
    """A page of enrolled faces; pages are counted from 0."""

    faces: list[ExampleBody]
    page_number: int
    page_size: int
    total_pages: int
    total_elements: int


class SizesBody(BaseModel):
    """Limits of what clients send, in bytes, by CompreFace's names."""

    clientMaxFileSize: int  # noqa: N815
    clientMaxBodySize: int  # noqa: N815
