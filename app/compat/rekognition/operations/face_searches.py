"""SearchFaces and SearchFacesByImage: the stored faces that are like one, of any person."""

from dataclasses import dataclass

from app.compat.rekognition.faces_shown import bounding_box, face_of, percent
from app.compat.rekognition.faults import NoFaceInImage
from app.compat.rekognition.model_version import model_version
from app.compat.rekognition.operation import Call, operation
from app.compat.rekognition.schemas.base import record_id, wire_id
from app.compat.rekognition.schemas.faces import (
    FaceMatch,
    SearchFacesByImageInput,
    SearchFacesByImageOutput,
    SearchFacesInput,
    SearchFacesOutput,
)
from app.compat.rekognition.similarities import most_ratio, percent_of
from app.errors import NoUsableImage
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.records import OwnedFace
from app.operations.identify.face_search import MOST_FACES, FaceMatches, FaceSearchOptions
from app.operations.policy.face_rules import FaceRule, QualityFilter


@operation("SearchFaces", SearchFacesInput, right=Right.IDENTIFY, large=True)
async def search_faces(call: Call[SearchFacesInput]) -> SearchFacesOutput:
    """Search by a stored face, which is not answered itself."""
    body, searches = call.body, call.counted_searches
    searches.require()
    options = _options(body.max_faces, body.face_match_threshold)
    face_id = record_id(body.face_id)
    found = await call.services.search_faces.enrolled_face(body.collection_id, face_id, options)
    shown = _similar(found, body.face_match_threshold)
    owners = _owners(shown)
    searches.count_people(owners)
    call.note_read(Action.IDENTIFIED, owners)
    return SearchFacesOutput(
        searched_face_id=wire_id(face_id),
        face_matches=_answered(shown, found),
        face_model_version=model_version(found.model.digest),
    )


@operation("SearchFacesByImage", SearchFacesByImageInput, right=Right.IDENTIFY, large=True)
async def search_faces_by_image(
    call: Call[SearchFacesByImageInput],
) -> SearchFacesByImageOutput:
    """Search by the largest face of an image."""
    body = call.body
    options = _options(
        body.max_faces,
        body.face_match_threshold,
        quality_filter=QualityFilter(body.quality_filter.lower()),
    )
    try:
        found = await call.services.search_faces.photo(body.collection_id, body.image.file, options)
    except NoUsableImage as error:
        raise NoFaceInImage from error
    if found.rejected is not None or found.probe is None or found.size is None:
        raise NoFaceInImage
    shown = _similar(found, body.face_match_threshold)
    call.note_read(Action.IDENTIFIED, _owners(shown))
    searched = found.probe.face
    return SearchFacesByImageOutput(
        searched_face_bounding_box=bounding_box(searched.box, found.size.width, found.size.height),
        searched_face_confidence=percent(searched.score),
        face_matches=_answered(shown, found),
        face_model_version=model_version(found.model.digest),
    )


def _options(
    max_faces: int | None, threshold: float, quality_filter: QualityFilter = QualityFilter.NONE
) -> FaceSearchOptions:
    return FaceSearchOptions(
        top_k=max_faces or MOST_FACES,
        max_ratio=most_ratio(threshold),
        faces=FaceRule.LARGEST,
        quality_filter=quality_filter,
    )


@dataclass(frozen=True, slots=True)
class _Similar:
    """A stored face, and how similar it is, 0 to 100."""

    face: OwnedFace
    percent: float


def _similar(found: FaceMatches, least: float) -> list[_Similar]:
    """The faces that are similar enough, most similar first."""
    similar = []
    for match in found.matches:
        own = match.face.identity.threshold
        limit = found.threshold if own is None else max(own, found.threshold)
        similarity = percent_of(
            found.scale,
            match.similarity,
            is_match=match.similarity >= limit,
            own_threshold=own,
        )
        if similarity >= least:
            similar.append(_Similar(match.face, similarity))
    return similar


def _owners(shown: list[_Similar]) -> list[str]:
    """The ids of the people whose faces are shown, each once."""
    return list(dict.fromkeys(one.face.identity_id for one in shown))


def _answered(shown: list[_Similar], found: FaceMatches) -> list[FaceMatch]:
    return [
        FaceMatch(similarity=one.percent, face=face_of(one.face, found.model.digest))
        for one in shown
    ]
