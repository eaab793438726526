"""Checks before a start that take no time, as no network is loaded."""

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from app.cli.serve.key_checks import require_keys
from app.errors import DatabaseDamaged, SettingUnusable
from app.recognition.liveness.liveness_entries import liveness_entry
from app.recognition.startup_errors import startup_error
from app.settings import Settings
from models.zoo.catalogue.entry import CatalogueEntry, find_entry
from models.zoo.catalogue.fetched import find_receipt
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.errors import NotAddedError, NotFetchedError, NotMadeError, WeightsError
from models.zoo.names import FORMER_ONNX, ZOO_NAMES
from models.zoo.weights.shipped_files import recipe_digest

if TYPE_CHECKING:
    from app.operations.rollout.embedder_choice import EmbedderChoice

_PORT = "VULTUS_PORT"
_HOST = "VULTUS_HOST"


def require_startable(settings: Settings, host: str, port: int) -> "EmbedderChoice":
    """Return the embedder to start with. Raises StartupError for the first unusable setting."""
    _require_free(host, port)
    require_keys(settings, host)
    if settings.database_url is None:
        _require_writable(settings.data_dir)
    _require_database(settings)
    _require_detector(settings)
    for name in settings.liveness.name:
        _require_file(settings, liveness_entry(name))
    choice = _chosen(settings)
    following = choice.settings.next
    if following.embedder is not None:
        _require_embedder(settings, following.embedder, following.weights_path, "VULTUS_NEXT__")
    return choice


def _require_free(host: str, port: int) -> None:
    """Bind each address of the host as the server will, and release it."""
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else "not a name"
        raise SettingUnusable(
            f"the address {host!r} cannot be listened on ({reason})", setting=_HOST
        ) from error
    for family, kind, protocol, _, address in dict.fromkeys(found):
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                tried.bind(address)
            except OSError as error:
                raise _not_bound(error, host, port) from error


def _not_bound(error: OSError, host: str, port: int) -> SettingUnusable:
    if error.errno == errno.EADDRINUSE:
        return SettingUnusable(f"the port {port} of {host} is taken", setting=_PORT)
    if error.errno in (errno.EACCES, errno.EPERM):
        return SettingUnusable(
            f"this user may not listen on the port {port} ({error.strerror})", setting=_PORT
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return SettingUnusable(f"{host} is no address of this machine", setting=_HOST)
    return SettingUnusable(f"cannot listen on {host} ({error.strerror})", setting=_HOST)


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno == errno.ENOSPC:  # a full disk is reported with the database
            return
        raise SettingUnusable(
            f"cannot write into the folder {folder} ({error.strerror})", setting="VULTUS_DATA_DIR"
        ) from error


def _require_database(settings: Settings) -> None:
    """Connect once. Whether a damaged database can still serve, the service decides."""
    # Imported here, because a process that supervises others does not need it.
    from app.gallery.store.database import Database  # noqa: PLC0415
    from app.gallery.store.lost_database import require_not_lost  # noqa: PLC0415

    database = Database(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
    try:
        require_not_lost(database, settings.snapshots_dir)
        if database.file is None or database.file.exists():
            with suppress(DatabaseDamaged), database.opening(), database.engine.connect():
                pass
    finally:
        database.close()


def _require_detector(settings: Settings) -> None:
    name = settings.detector.name
    if name not in DETECTOR_CARDS:
        raise SettingUnusable(
            f"there is no detector {name!r}; there are {', '.join(DETECTOR_CARDS)}",
            setting="VULTUS_DETECTOR__NAME",
        )
    entry = find_entry(name)
    if entry is not None:
        _require_file(settings, entry)


def _chosen(settings: Settings) -> "EmbedderChoice":
    from app.operations.rollout.embedder_choice import choose_embedder  # noqa: PLC0415  (as above)

    choice = choose_embedder(settings)
    with choice.explaining():
        _require_embedder(settings, choice.name, choice.settings.weights_path, "VULTUS_")
    return choice


def _require_embedder(settings: Settings, name: str, weights: Path | None, prefix: str) -> None:
    """Look for the network and its file of weights. `prefix`: of the settings that name them."""
    added = settings.resolved_weights_dir / "networks"
    known = [*ZOO_NAMES, *sorted(path.stem for path in added.glob("*.json"))]
    if name not in known:
        _require_published(settings, name, known, f"{prefix}EMBEDDER")
    if weights is None:
        return
    setting = f"{prefix}WEIGHTS_PATH"
    if not weights.is_file():
        raise SettingUnusable(f"there is no weights file {weights}", setting=setting)
    if not os.access(weights, os.R_OK):
        raise SettingUnusable(f"cannot read the weights file {weights}", setting=setting)


def _require_published(settings: Settings, name: str, others: list[str], setting: str) -> None:
    """Look for a network that is not among the `others` here."""
    digest = recipe_digest(name)
    if digest is not None:
        raise startup_error(NotMadeError(name, digest=digest))
    if name == FORMER_ONNX:
        raise startup_error(NotAddedError(name))
    entry = find_entry(name)
    if entry is None or entry.kind != "embedder":
        raise SettingUnusable(
            f"there is no network {name!r}; there are {', '.join(others)}, and the embedders of "
            "the catalogue",
            setting=setting,
        )
    _require_file(settings, entry)


def _require_file(settings: Settings, entry: CatalogueEntry) -> None:
    """Look for the file of a network of the catalogue."""
    try:
        if find_receipt(entry, settings.resolved_weights_dir) is None:
            raise NotFetchedError(entry.name, needs_acceptance=entry.needs_acceptance)
    except WeightsError as error:
        raise startup_error(error) from error
