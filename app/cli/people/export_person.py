"""`vultus export-person`."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import typer

from app.api.person_document import PersonDocumentWriter
from app.api.schemas.people import CropsAs
from app.cli.output import print_line
from app.cli.people.photo_arguments import read_photo
from app.cli.session import with_services
from app.gallery.journal.actions import Action
from app.gallery.store.private_files import FileBeingWrittenError, new_private_file
from app.operations.access.findings import Found
from app.operations.policy.face_rules import FaceRule
from app.runtime.threads import reading
from app.services import Services


@dataclass(frozen=True, slots=True)
class PersonRequest:
    """Whose data are asked for: a person by reference, or the person of a photo."""

    collection: str
    identity_id: str | None
    photo: Path | None
    faces: FaceRule
    target_fmr: float | None


def export_person(
    file: Path, request: PersonRequest, *, with_crops: bool, with_embeddings: bool
) -> None:
    """Write everything that is held of a person."""

    async def use(services: Services) -> Found:
        found = await _find(services, request)
        crops = CropsAs.BASE64 if with_crops else CropsAs.NONE
        writer = PersonDocumentWriter(services.read_person, crops, with_embeddings)
        await asyncio.to_thread(_write, file, writer.pieces(found))
        for collection, people in found.people_by_collection.items():
            services.reads.note(Action.PERSON_EXPORTED, collection, people, always=True)
        await asyncio.to_thread(services.reads.flush)
        return found

    found = with_services(use)
    certain = sum(one.certain for one in (*found.people, *found.groups))
    alike = len(found.people) + len(found.groups) - certain
    print_line(
        f"{file}: {len(found.people)} people and {len(found.groups)} groups of unknown faces in "
        f"{len(found.collections)} collections; {certain} certain, {alike} alike"
    )
    for one in found.collections:
        if one.not_searched is not None:
            print_line(f"faces were not compared in {one.name}: {one.not_searched}")


async def _find(services: Services, request: PersonRequest) -> Found:
    if request.photo is not None:
        image = read_photo(request.photo)
        return await services.find_person.photo(image, request.faces, target_fmr=request.target_fmr)
    assert request.identity_id is not None  # the command demands one of the two
    return await reading(
        services.find_person.identity,
        request.collection,
        request.identity_id,
        target_fmr=request.target_fmr,
    )


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    try:
        with new_private_file(path) as file:
            for piece in pieces:
                file.write(piece.encode())
    except FileBeingWrittenError as error:
        raise typer.BadParameter(
            f"another export is writing {error.path}; wait for it, or give another name"
        ) from error
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror})") from error
