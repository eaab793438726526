"""Photos become examples of subjects."""

from pydantic import BaseModel

from app.compat.compreface.subject_names import find_subject, require_name
from app.compat.enrolling import enroll_photos
from app.gallery.records import NewIdentity
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.policy.face_rules import QualityFilter
from app.recognition.detection import Detection
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
    return await enroll_photos(
        services,
        new.collection,
        [new.photo],
        how,
        find=lambda: find_subject(services.gallery, new.collection, new.subject),
        new=lambda: NewIdentity(name=require_name(new.subject), external_id=new.subject),
        once=once,
    )
