"""`vultus keys`: API keys, without networks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.table import Column, Table

from app.api.schemas.keys import IssuedKeyBody, KeyBody, KeyPage, NewKeyBody, RotateKeyBody
from app.cli.argument_check import checking_arguments
from app.cli.open_database import open_database
from app.cli.output import errors, print_line, show
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_records import IssuedKey, KeyState
from app.gallery.keys.opening import pair_secrets_of
from app.gallery.keys.rights import Right, Role


def add(
    name: str,
    role: Role,
    rights: tuple[Right, ...],
    collections: Sequence[str] | None,
    expires: datetime | None,
    rate: float | None,
    *,
    aws: bool,
    as_json: bool,
) -> None:
    """Make a key and print it."""
    with checking_arguments():
        body = NewKeyBody(
            name=name,
            role=role,
            rights=list(rights),
            collections=list(collections) if collections else None,
            expires_at=_in_utc(expires),
            requests_per_min=rate,
            aws=aws,
        )
    with _keys() as keys:
        issued = keys.add(body.new_key())
    _show_issued(issued, as_json=as_json)


def list_(*, as_json: bool) -> None:
    """List the keys."""
    with _keys() as keys:
        _, found = keys.everything()
    shown = [KeyBody.now(key) for key in found]
    table = Table(Column("key", no_wrap=True), "name", "may", "in", "state", "last used")
    for key in shown:
        table.add_row(
            key.id,
            key.name,
            ", ".join(key.rights) if key.role is Role.CUSTOM else key.role,
            "all" if key.collections is None else ", ".join(key.collections),
            _state(key),
            "never" if key.last_used_at is None else _moment(key.last_used_at),
        )
    show(KeyPage(keys=shown, next_cursor=None), table, as_json=as_json)


def rotate(key_id: str, *, overlap_s: float, expires: datetime | None, as_json: bool) -> None:
    """Replace a key and print the new one."""
    with checking_arguments():
        body = RotateKeyBody(overlap_s=overlap_s, expires_at=_in_utc(expires))
    with _keys() as keys:
        issued = keys.rotate(key_id, overlap_s=body.overlap_s, expires_at=body.expires_at)
    _show_issued(issued, as_json=as_json)


def revoke(key_id: str, *, as_json: bool) -> None:
    """End a key."""
    with _keys() as keys:
        key = keys.revoke(key_id)
    show(KeyBody.now(key), f"revoked key {key.id} ({key.name})", as_json=as_json)


@contextmanager
def _keys() -> Iterator[GalleryKeys]:
    with open_database(upgrade=True) as (settings, database):
        yield GalleryKeys(database, pair_secrets_of(settings, database.vault))


def _show_issued(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        show(IssuedKeyBody.of(issued), as_json=True)
        return
    rights = ", ".join(issued.key.rights)
    print_line(f"key {issued.key.id} ({issued.key.name}) may: {rights}", errors)
    print_line("it is shown this once; send it in the header x-api-key:", errors)
    print_line(issued.text)
    if issued.pair is not None:
        print_line("for AWS's SDKs, its secret shown this once as well:", errors)
        print_line(f"aws_access_key_id = {issued.pair.access_key_id}")
        print_line(f"aws_secret_access_key = {issued.pair.secret_access_key}")


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _state(key: KeyBody) -> str:
    if key.state is not KeyState.ACTIVE or key.expires_at is None:
        return key.state
    return f"{key.state} until {_moment(key.expires_at)}"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
