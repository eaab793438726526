"""Photos become examples of subjects."""

from app.compat.compreface.query import PhotoOptions
from app.compat.compreface.subject_names import find_subject, require_name
from app.errors import ExternalIdTaken, IdentityNotFound
from app.gallery.records import NewIdentity
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.policy.face_rules import QualityFilter
from app.runtime.threads import reading
from app.services import Services


async def add_example(
    services: Services, collection: str, subject: str, photo: bytes, options: PhotoOptions
) -> Enrollment:
    """Enroll the one face of a photo, by the quality and guards that the settings demand.

    A photo that the subject has already is answered with its face. Raises Refused, NoUsableImage,
    WrongPerson, and what `Enroller` raises else.
    """
    rules = services.settings.compreface
    how = EnrollOptions(
        quality_filter=QualityFilter(rules.quality_filter),
        force=not rules.guards,
        detection=options.detection,
    )
    for is_last in (False, True):
        person = await reading(find_subject, services.gallery, collection, subject)
        try:
            if person is not None:
                return await services.enroll.add_faces(collection, person.id, [photo], how)
            new = NewIdentity(name=require_name(subject), external_id=subject)
            return await services.enroll.create(collection, new, [photo], how)
        except (ExternalIdTaken, IdentityNotFound):
            # Another request made, or deleted, the subject since it was looked for.
            if is_last:
                raise
    raise AssertionError  # the second try returns or raises
