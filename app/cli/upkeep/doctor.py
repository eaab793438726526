"""`vultus gallery`."""

from collections import Counter

import typer
from rich.progress import Progress
from rich.table import Table

from app.api.schemas.doctor import FindingBody, FoundPersonBody
from app.cli.output import errors, print_json, results, text_column
from app.cli.people.corrections import command_of
from app.cli.session import with_services
from app.gallery.doctor import Finding, FindingKind
from app.operations.doctor import correction
from app.services import Services

_FOUND_SOMETHING = 3


def doctor(*, collection: str, limit: int, as_json: bool) -> None:
    """List photos under the wrong person, people under two names, outliers and look-alikes."""
    counts: Counter[FindingKind] = Counter()

    async def use(services: Services) -> bool:
        people = faces = 0
        complete = False
        with Progress(
            text_column("{task.description}"), console=errors, transient=True
        ) as progress:
            task = progress.add_task("examining", total=None)
            async for page in services.examine_gallery.pages(collection, limit=limit):
                people += page.identities_examined
                faces += page.faces_examined
                complete = page.next_after is None
                progress.update(task, description=f"examined {people:,} people, {faces:,} faces")
                for finding in page.findings:
                    counts[finding.kind] += 1
                    _show(finding, collection, page.revision, as_json=as_json)
        return complete

    complete = with_services(use)
    if not as_json:
        table = Table("finding", "count")
        for kind in FindingKind:
            table.add_row(kind, f"{counts[kind]:,}")
        results.print(table)
    if not complete:
        errors.print(f"stopped at {limit:,} findings; there may be more (--limit)")
    raise typer.Exit(_FOUND_SOMETHING if counts else 0)


def _show(found: Finding, collection: str, revision: int, *, as_json: bool) -> None:
    finding = FindingBody.found(found, collection, revision)
    wanted = correction(found, revision)
    command = None if wanted is None else command_of(wanted, collection)
    if as_json:
        print_json({**finding.model_dump(mode="json", exclude={"action"}), "command": command})
        return
    told = f"{finding.kind}: {_name(finding.identity)}"
    if finding.face_id is not None:
        told += f", face {finding.face_id}"
    if finding.own_similarity is not None:
        told += f", like their others by {finding.own_similarity:.4f}"
    if finding.other is not None:
        told += f", like {_name(finding.other)} by {finding.similarity:.4f}"
    told += f"; {finding.advice}"
    if command is not None:
        told += f": {command}"
    results.print(told, soft_wrap=True)


def _name(person: FoundPersonBody) -> str:
    told = person.name or person.external_id
    return f"{told} ({person.identity_id})" if told else person.identity_id
