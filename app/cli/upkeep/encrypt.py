"""`vultus encrypt`. It loads no network."""

from dataclasses import asdict

from rich.table import Table

from app.api.schemas.parts.remains import RemainsBody
from app.cli.open_database import open_database
from app.cli.output import errors, finish, print_line, show
from app.cli.progress_report import progress_report
from app.gallery.delivery.gallery_webhooks import GalleryWebhooks
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.opening import pair_secrets_of
from app.gallery.store.database import Database
from app.gallery.store.remains import BACKUPS, Remains
from app.gallery.vault.encryption import Encryption
from app.gallery.vault.encryption_check import EncryptionStatus
from app.gallery.vault.wrapped_texts import WrappedAnew
from app.services.index_building import remove_snapshots
from app.settings import Settings

_ROTATION_DONE = "former master keys may be taken out of the settings of all processes now"


def status(*, as_json: bool) -> None:
    """Show how each collection is encrypted."""
    with open_database(upgrade=False) as (_, database):
        found = Encryption(database).status()
        masters = [master.id for master in database.vault.masters] if database.vault.is_on else []
    table = Table("collection", "encrypted", "master key", "generation", "rows", "in the clear")
    for one in found:
        table.add_row(
            one.collection,
            _state(one),
            one.master_id or "-",
            "-" if one.generation is None else str(one.generation),
            f"{sum(one.rows.values()):,}",
            f"{sum(one.clear.values()):,}",
        )
    text = f"master keys of the settings: {', '.join(masters) or 'none'}"
    answer = {"master_ids": masters, "collections": [asdict(one) for one in found]}
    show(answer, table, text, as_json=as_json)
    finish(complete=all(one.is_complete for one in found))


def on(*, rewrite: bool, as_json: bool) -> None:
    """Encrypt what lies in the clear."""
    with open_database(upgrade=True) as (settings, database):
        encryption = Encryption(database)
        with progress_report() as report:
            done = encryption.encrypt(report)
        secrets = _webhooks(database).seal_secrets()
        pairs = _keys(settings, database).seal_pairs()
        # Also where nothing was left to encrypt: an earlier call may have ended before this.
        for one in encryption.numbers():
            remove_snapshots(settings, database, one)
        remains = database.compact(most_bytes=None) if rewrite else database.remains()
    bodies = [RemainsBody.of(one).model_dump(mode="json") for one in remains]
    answer = {
        "encrypted": done,
        "remains": bodies,
        "unreadable_pairs": list(pairs.unreadable),
        "unreadable_webhooks": list(secrets.unreadable),
    }
    texts = [f"{name}: encrypted" for name in done] or ["all collections are encrypted already"]
    show(answer, *texts, *map(_remains_text, remains), as_json=as_json)
    _report_unreadable(pairs, secrets)


def rotate(*, collections: bool, destroy_former: bool, as_json: bool) -> None:
    """Wrap keys by other keys."""
    with open_database(upgrade=True) as (settings, database):
        encryption = Encryption(database)
        secrets = _webhooks(database).seal_secrets()
        pairs = _keys(settings, database).seal_pairs()
        people = destroyed = 0
        left: list[str] = []
        if collections:
            with progress_report() as report:
                people = encryption.rotate_collections(report)
        if destroy_former:
            destroyed = encryption.destroy_former()
            left = [one.collection for one in encryption.status() if one.former]
        # Last: a former key that is deleted was never wrapped by the new master key, which a copy
        # of the database from in between would open.
        wrapped = encryption.rotate_master()
        master = database.vault.master.id
    answer = {
        "master_id": master,
        "collection_keys": wrapped,
        "webhook_secrets": secrets.count,
        "unreadable_webhooks": list(secrets.unreadable),
        "pair_secrets": pairs.count,
        "unreadable_pairs": list(pairs.unreadable),
        "owner_keys": people,
        "destroyed": destroyed,
        "not_destroyed": left,
    }
    texts = []
    if collections:
        texts.append(f"{people:,} keys of people and unknown groups are wrapped by new keys")
    if destroy_former:
        texts.append(f"{destroyed:,} former keys of collections are deleted")
    texts.append(f"all keys of collections are wrapped by master key {master} now")
    show(answer, *texts, _ROTATION_DONE, as_json=as_json)
    if left and not as_json:
        print_line(
            f"former keys stay in {', '.join(left)}: they wrap keys of people that do not open; "
            "run vultus encrypt verify, and delete these people or restore their keys",
            errors,
        )
    _report_unreadable(pairs, secrets)
    finish(complete=not left)


def verify(*, as_json: bool) -> None:
    """List the rows that do not open."""
    with open_database(upgrade=False) as (_, database), progress_report() as report:
        found = list(Encryption(database).verify(report))
    lines = [f"{one.collection}: {one.table}, {one.row_id}: {one.cause}" for one in found]
    answer = {"unreadable": [asdict(one) for one in found]}
    show(answer, *(lines or ["all encrypted rows open"]), as_json=as_json)
    if lines and not as_json:
        print_line(f"{len(lines):,} rows do not open", errors)
    finish(complete=not found)


def _state(one: EncryptionStatus) -> str:
    if one.generation is None:
        return "no"
    return "yes" if one.is_complete else "in part; run vultus encrypt on"


def _remains_text(one: Remains) -> str:
    if one == BACKUPS:
        return "backups that were made before hold embeddings in the clear: delete them"
    detail = "" if one.detail is None else f" ({one.detail})"
    until = "" if one.until is None else f", until {one.until:%Y-%m-%d %H:%M} UTC"
    return f"what lay in the clear may still be found in: {one.where}{detail}{until}"


def _report_unreadable(pairs: WrappedAnew, secrets: WrappedAnew) -> None:
    for key_id in pairs.unreadable:
        print_line(
            f"the secret of the pair of key {key_id} does not open by the keys of this machine: "
            "run this command where the service runs that made it, or vultus keys rotate",
            errors,
        )
    for webhook_id in secrets.unreadable:
        print_line(
            f"the secret of webhook {webhook_id} does not open by the master keys of the settings: "
            "add the one that sealed it, or run vultus webhooks rotate",
            errors,
        )


def _keys(settings: Settings, database: Database) -> GalleryKeys:
    return GalleryKeys(database, pair_secrets_of(settings, database.vault))


def _webhooks(database: Database) -> GalleryWebhooks:
    return GalleryWebhooks(database)
