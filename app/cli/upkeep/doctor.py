"""`vultus gallery doctor`."""

from collections import Counter

from rich.progress import Progress

from app.api.schemas.doctor import FindingBody, FoundPersonBody
from app.cli.output import count_table, errors, finish, results, show, text_column
from app.cli.people.corrections import command_of
from app.cli.session import with_services
from app.gallery.doctor import Finding, FindingKind
from app.operations.doctor import correction
from app.services import Services


def doctor(collection: str, limit: int, *, as_json: bool) -> None:
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
        results.print(count_table("finding", {kind: counts[kind] for kind in FindingKind}))
    if not complete:
        errors.print(f"stopped at {limit:,} findings; there may be more (--limit)")
    finish(complete=not counts)


def _show(found: Finding, collection: str, revision: int, *, as_json: bool) -> None:
    finding = FindingBody.found(found, collection, revision)
    change = correction(found, revision)
    command = None if change is None else command_of(change, collection)
    answer = {
        **finding.model_dump(mode="json", exclude={"action", "dismissal"}),
        "command": command,
    }
    show(answer, _text(finding, command), as_json=as_json)


def _text(finding: FindingBody, command: str | None) -> str:
    text = f"{finding.kind}: {_name(finding.identity)}"
    if finding.face_id is not None:
        text += f", face {finding.face_id}"
    if finding.own_similarity is not None:
        text += f", like their others by {finding.own_similarity:.4f}"
    if finding.other is not None:
        text += f", like {_name(finding.other)} by {finding.similarity:.4f}"
    text += f"; {finding.advice}"
    return text if command is None else f"{text}: {command}"


def _name(person: FoundPersonBody) -> str:
    name = person.name or person.external_id
    return f"{name} ({person.identity_id})" if name else person.identity_id
