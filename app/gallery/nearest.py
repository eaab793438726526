"""From the nearest faces of an index to the nearest people in the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.gallery.index import FaceNumbers, VectorIndex, Vectors
from app.gallery.records import Candidate
from app.gallery.repositories.faces import FaceOwner, FaceRepository
from app.gallery.repositories.identities import IdentityRepository
from app.gallery.tables import CollectionTable
from app.recognition.types import Embedding, cosine

_FACES_A_PERSON = 4  # how many nearest faces are looked at for each candidate, at first
_FEWEST_FACES = 32
_ROUNDING = 1e-4  # by which an index's similarity may differ from the exact one


class UntrueIndexError(Exception):
    """The index holds other embeddings than the database."""


@dataclass(frozen=True, slots=True)
class _Nearest:
    face_number: int
    face_id: str
    similarity: float


def nearest_people(
    session: Session,
    collection: CollectionTable,
    index: VectorIndex,
    probe: Embedding,
    top_k: int,
    exclude_face_id: str | None,
) -> tuple[Candidate, ...]:
    """The `top_k` people whose best face is most similar.

    People with many faces crowd others out of the nearest faces, so more and more of those are
    looked at until enough people are found, or there are no more. Raises UntrueIndexError when what
    would be answered is not what the database says.
    """
    faces = FaceRepository(session, collection)
    identities = IdentityRepository(session, collection)
    total = len(index)
    count = min(total, max(_FACES_A_PERSON * top_k, _FEWEST_FACES))
    best: dict[int, _Nearest] = {}
    while count > 0:
        numbers, similarities = index.search(probe, count)
        owners = faces.owners(numbers.tolist())
        best = _best_by_person(owners, numbers, similarities, exclude_face_id)
        # Only a collection of fewer people than asked for is worth a query of its own.
        enough = count == total or len(best) >= top_k
        if enough or len(best) >= identities.count_up_to(top_k):
            break
        count = min(total, 4 * count)
    nearest = dict(list(best.items())[:top_k])
    _check_similarities(faces, probe, nearest.values())
    people = identities.by_number(list(nearest))
    return tuple(
        Candidate(people[number], found.face_id, cosine(found.similarity))
        for number, found in nearest.items()
    )


def _check_similarities(
    faces: FaceRepository, probe: Embedding, nearest: Iterable[_Nearest]
) -> None:
    """Compare the few that are answered with their embeddings in the database.

    They differ when the database was set back to a backup beneath the running process and its
    numbers were given out again; the index would then answer with the wrong name.
    """
    claimed = {found.face_number: found.similarity for found in nearest}
    for number, embedding in faces.embeddings_of(list(claimed)).items():
        if abs(float(embedding @ probe) - claimed[number]) > _ROUNDING:
            raise UntrueIndexError


def _best_by_person(
    owners: Mapping[int, FaceOwner],
    numbers: FaceNumbers,
    similarities: Vectors,
    exclude_face_id: str | None,
) -> dict[int, _Nearest]:
    """By identity number, the person's first face, most similar first.

    What the database no longer has is passed over, whatever the index says.
    """
    best: dict[int, _Nearest] = {}
    for number, similarity in zip(numbers.tolist(), similarities.tolist(), strict=True):
        owner = owners.get(number)
        if owner is not None and owner.face_id != exclude_face_id:
            best.setdefault(owner.identity_number, _Nearest(number, owner.face_id, similarity))
    return best
