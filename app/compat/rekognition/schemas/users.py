"""Inputs and outputs of the operations on users: people with one vector over all their faces."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.compat.rekognition.schemas.base import (
    ClientRequestToken,
    CollectionId,
    FaceId,
    Input,
    NextToken,
    Output,
    Percent,
    QualityFilterName,
    UserId,
)
from app.compat.rekognition.schemas.images import Image
from app.compat.rekognition.schemas.shown_faces import FaceDetail

MaxUsers = Annotated[int, Field(ge=1, le=500)]
UserFaceIds = Annotated[list[FaceId], Field(min_length=1, max_length=100)]
DEFAULT_MATCH_THRESHOLD = 75.0
"""Of an association."""
UserStatus = Literal["CREATED", "ACTIVE"]
"""Changes are done at once, so no user is ever UPDATING."""


class ChangeInput(Input):
    """A change of a user, which is carried out once a token."""

    collection_id: CollectionId
    user_id: UserId
    client_request_token: ClientRequestToken | None = None


class CreateUserInput(ChangeInput):
    pass


class DeleteUserInput(ChangeInput):
    pass


class ListUsersInput(Input):
    collection_id: CollectionId
    max_results: MaxUsers | None = None
    next_token: NextToken | None = None


class User(Output):
    user_id: str
    user_status: UserStatus


class ListUsersOutput(Output):
    users: list[User]
    next_token: str | None = None


class AssociateFacesInput(ChangeInput):
    face_ids: UserFaceIds
    user_match_threshold: Percent = DEFAULT_MATCH_THRESHOLD


class AssociatedFace(Output):
    face_id: str


class UnsuccessfulFaceAssociation(Output):
    face_id: str
    user_id: str | None = None
    confidence: float | None = None
    reasons: list[str]


class AssociateFacesOutput(Output):
    associated_faces: list[AssociatedFace]
    unsuccessful_face_associations: list[UnsuccessfulFaceAssociation]
    user_status: UserStatus


class DisassociateFacesInput(ChangeInput):
    face_ids: UserFaceIds


class DisassociatedFace(Output):
    face_id: str


class UnsuccessfulFaceDisassociation(Output):
    face_id: str
    user_id: str | None = None
    reasons: list[str]


class DisassociateFacesOutput(Output):
    disassociated_faces: list[DisassociatedFace]
    unsuccessful_face_disassociations: list[UnsuccessfulFaceDisassociation]
    user_status: UserStatus


class SearchUsersInput(Input):
    collection_id: CollectionId
    user_id: UserId | None = None
    face_id: FaceId | None = None
    user_match_threshold: Percent = 80.0
    max_users: MaxUsers | None = None

    @model_validator(mode="after")
    def _require_one(self) -> "SearchUsersInput":
        if (self.user_id is None) == (self.face_id is None):
            raise ValueError("must have either UserId or FaceId")
        return self


class UserMatch(Output):
    similarity: float
    user: User


class SearchedFace(Output):
    face_id: str


class SearchedUser(Output):
    user_id: str


class SearchUsersOutput(Output):
    user_matches: list[UserMatch]
    face_model_version: str
    searched_face: SearchedFace | None = None
    searched_user: SearchedUser | None = None


class SearchUsersByImageInput(Input):
    collection_id: CollectionId
    image: Image
    user_match_threshold: Percent = 80.0
    max_users: MaxUsers | None = None
    quality_filter: QualityFilterName = "NONE"


class SearchedFaceDetails(Output):
    face_detail: FaceDetail


class UnsearchedFace(Output):
    face_details: FaceDetail
    reasons: list[str]


class SearchUsersByImageOutput(Output):
    user_matches: list[UserMatch]
    face_model_version: str
    searched_face: SearchedFaceDetails | None = None
    unsearched_faces: list[UnsearchedFace]
