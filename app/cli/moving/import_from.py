"""`vultus import-from compreface` and `vultus import-from folder`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from rich.console import RenderableType

from app.cli.moving.compreface_requests import CompreFaceRequests
from app.cli.moving.compreface_source import ask_compreface
from app.cli.moving.folder_source import FolderSource, open_folder
from app.cli.moving.layouts import Layout
from app.cli.moving.mover import Moved, Mover
from app.cli.moving.source import Source
from app.cli.output import count_table, finish, progress_bar, show
from app.cli.people.folder_of_people import LeftOut
from app.cli.session import with_services
from app.gallery.people.consent_records import NewConsent
from app.operations.enroll.enroll_options import EnrollOptions
from app.runtime.threads import reading
from app.services import Services


def import_from_compreface(
    url: str,
    key: str,
    collection: str,
    options: EnrollOptions,
    consent: NewConsent | None,
    *,
    as_json: bool,
) -> None:
    """Import the subjects of a service of CompreFace, with the photos that it saved."""
    server = CompreFaceRequests(url, key)

    async def ask(services: Services) -> Source:
        most = services.settings.limits.max_image_bytes
        with progress_bar("listing") as progress:
            task = progress.add_task("faces", total=None)
            return await asyncio.to_thread(
                ask_compreface,
                server,
                most_bytes=most,
                on_faces=lambda done, total: progress.update(task, completed=done, total=total),
            )

    moved = _import(ask, collection, options, consent)
    show(_as_json(moved), *_texts(moved), as_json=as_json)
    finish(complete=moved.complete)


def import_from_folder(
    folder: Path,
    layout: Layout,
    collection: str,
    options: EnrollOptions,
    consent: NewConsent | None,
    *,
    as_json: bool,
) -> None:
    """Import people from folders, as Double-Take or Frigate keep them."""
    source = open_folder(folder, layout)

    async def ask(_: Services) -> Source:
        return source

    moved = _import(ask, collection, options, consent)
    left_out = {why: source.left_out[why] for why in LeftOut}
    answer = {"folder": str(source.root), "layout": source.layout, "left_out": left_out}
    show({**answer, **_as_json(moved)}, *_texts(moved, source), as_json=as_json)
    missed = any(why.may_be_a_photo for why in source.left_out.elements())
    finish(complete=moved.complete and not missed)


def _import(
    ask: Callable[[Services], Awaitable[Source]],
    collection: str,
    options: EnrollOptions,
    consent: NewConsent | None,
) -> Moved:
    async def use(services: Services) -> Moved:
        await reading(services.gallery.collections.require, collection)
        source = await ask(services)
        with progress_bar("importing") as progress:
            task = progress.add_task("photos", total=sum(map(len, source.people.values())))
            mover = Mover(
                services, collection, options, consent, source, lambda: progress.advance(task)
            )
            return await mover.move()

    return with_services(use)


def _texts(moved: Moved, folder: FolderSource | None = None) -> Iterator[RenderableType]:
    for photo in moved.left:
        reasons = ", ".join(photo.reasons)
        yield f"not imported: {photo.person}: {photo.label}: {reasons} ({photo.detail})"
    for name in moved.without_face:
        yield f"without a face: {name}: no photo of this person is enrolled"
    left_out = {} if folder is None else folder.left_out
    counts = {
        "people found": moved.people,
        "photos found": moved.photos,
        "people enrolled": moved.new_people,
        "faces enrolled": moved.faces,
        "photos enrolled before": moved.known_before,
        "people without a face": len(moved.without_face),
        **{f"not imported: {reason}": count for reason, count in moved.reasons.most_common()},
        **{f"left out: {why}": count for why, count in left_out.items()},
    }
    title = "outcome" if folder is None else f"outcome ({folder.layout}: {folder.root})"
    yield count_table(title, counts)


def _as_json(moved: Moved) -> dict[str, object]:
    return {
        "people": moved.people,
        "photos": moved.photos,
        "new_people": moved.new_people,
        "faces": moved.faces,
        "known_before": moved.known_before,
        "people_without_face": moved.without_face,
        "not_imported": [
            {
                "person": photo.person,
                "photo": photo.label,
                "reasons": list(photo.reasons),
                "detail": photo.detail,
            }
            for photo in moved.left
        ],
    }
