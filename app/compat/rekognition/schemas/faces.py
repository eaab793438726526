"""Inputs of the operations on faces."""

from typing import Annotated

from pydantic import Field

from app.compat.rekognition.schemas.base import (
    AttributeName,
    CollectionId,
    ExternalImageId,
    FaceId,
    Input,
    NextToken,
    Output,
    Percent,
    QualityFilterName,
    UserId,
)
from app.compat.rekognition.schemas.collections import PageSize
from app.compat.rekognition.schemas.images import Image
from app.compat.rekognition.schemas.shown_faces import (
    BoundingBox,
    ComparedFace,
    ComparedSourceFace,
    Face,
    FaceDetail,
)

MaxFaces = Annotated[int, Field(ge=1, le=4_096)]
FaceIds = Annotated[list[FaceId], Field(min_length=1, max_length=4_096)]


class IndexFacesInput(Input):
    collection_id: CollectionId
    image: Image
    external_image_id: ExternalImageId | None = None
    detection_attributes: list[AttributeName] | None = None
    max_faces: Annotated[int, Field(ge=1)] | None = None
    quality_filter: QualityFilterName = "AUTO"


class FaceRecord(Output):
    face: Face
    face_detail: FaceDetail


class UnindexedFace(Output):
    reasons: list[str]
    face_detail: FaceDetail


class IndexFacesOutput(Output):
    face_records: list[FaceRecord]
    unindexed_faces: list[UnindexedFace]
    face_model_version: str


class ListFacesInput(Input):
    collection_id: CollectionId
    max_results: PageSize | None = None
    next_token: NextToken | None = None
    user_id: UserId | None = None
    face_ids: FaceIds | None = None


class ListFacesOutput(Output):
    faces: list[Face]
    next_token: str | None = None
    face_model_version: str


class DeleteFacesInput(Input):
    collection_id: CollectionId
    face_ids: FaceIds


class UnsuccessfulFaceDeletion(Output):
    face_id: str
    user_id: str | None = None
    reasons: list[str]


class DeleteFacesOutput(Output):
    deleted_faces: list[str]
    unsuccessful_face_deletions: list[UnsuccessfulFaceDeletion]


class SearchFacesInput(Input):
    collection_id: CollectionId
    face_id: FaceId
    max_faces: MaxFaces | None = None
    face_match_threshold: Percent = 80.0


class FaceMatch(Output):
    similarity: float
    face: Face


class SearchFacesOutput(Output):
    searched_face_id: str
    face_matches: list[FaceMatch]
    face_model_version: str


class SearchFacesByImageInput(Input):
    collection_id: CollectionId
    image: Image
    max_faces: MaxFaces | None = None
    face_match_threshold: Percent = 80.0
    quality_filter: QualityFilterName = "NONE"


class SearchFacesByImageOutput(Output):
    searched_face_bounding_box: BoundingBox
    searched_face_confidence: float
    face_matches: list[FaceMatch]
    face_model_version: str


class CompareFacesInput(Input):
    source_image: Image
    target_image: Image
    similarity_threshold: Percent = 80.0
    quality_filter: QualityFilterName = "NONE"


class CompareFacesMatch(Output):
    similarity: float
    face: ComparedFace


class CompareFacesOutput(Output):
    source_image_face: ComparedSourceFace
    face_matches: list[CompareFacesMatch]
    unmatched_faces: list[ComparedFace]


class DetectFacesInput(Input):
    image: Image
    attributes: list[AttributeName] | None = None


class DetectFacesOutput(Output):
    face_details: list[FaceDetail]
