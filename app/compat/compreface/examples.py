"""Photos become examples of subjects."""

from pydantic import BaseModel

from app.compat.compreface.subject_names import find_subject, require_name
from app.errors import ExternalIdTaken, IdentityNotFound
from app.gallery.records import NewIdentity
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.policy.face_rules import QualityFilter
from app.recognition.detection import Detection
from app.runtime.threads import reading
from app.services import Services


class NewExample(BaseModel):
    """What a request to add an example says, as it was understood."""

    collection: str
    subject: str
    photo: bytes
    min_probability: float | None


async def add_example(
    services: Services, new: NewExample, once: Once[Enrollment] | None
) -> Enrollment:
    """Enroll the one face of a photo, by the quality and guards that the settings demand.

    A photo that the subject has already is answered with its face. Raises Refused, NoUsableImage,
    WrongPerson, and what `Enroller` raises else.
    """
    rules = services.settings.compreface
    how = EnrollOptions(
        quality_filter=QualityFilter(rules.quality_filter),
        force=not rules.guards,
        detection=Detection(min_score=new.min_probability),
    )
    for is_last in (False, True):
        person = await reading(find_subject, services.gallery, new.collection, new.subject)
        try:
            if person is not None:
                return await services.enroll.add_faces(
                    new.collection, person.id, [new.photo], how, once=once
                )
            made = NewIdentity(name=require_name(new.subject), external_id=new.subject)
            return await services.enroll.create(new.collection, made, [new.photo], how, once=once)
        except (ExternalIdTaken, IdentityNotFound):
            # Another request made, or deleted, the subject since it was looked for.
            if is_last:
                raise
    raise AssertionError  # the second try returns or raises
