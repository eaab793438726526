"""Fetch a network of the catalogue: from its source, from a mirror, or from a folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from app.errors import (
    DISK_FULL_ERRNOS,
    DigestUnknown,
    FetchFailed,
    FileNotAsPinned,
    LicenseNotAccepted,
    NotInCatalogue,
    SourceUnavailable,
)
from app.operations.fetching.download import Download, Patience, discard, download, shown
from app.operations.fetching.zip_member import extract_member
from models.files import file_sha256, move_into_place
from models.zoo.catalogue.entry import CatalogueEntry, Source, catalogue
from models.zoo.catalogue.fetched import (
    Receipt,
    catalogue_dir,
    file_of,
    find_receipt,
    write_receipt,
)
from models.zoo.errors import WeightsInvalidError

_SPARE_BYTES: Final = 50_000_000
"""Disk space that a download leaves free."""


class Watcher(Protocol):
    """What is called while a file is fetched."""

    def source(self, where: str) -> None:
        """`where` the file now comes from: a URL or a path."""

    def progress(self, done: int, total: int | None) -> None:
        """Bytes that are here, and all bytes, where that is known."""

    def retry(self, reason: str, wait_s: float) -> None:
        """An attempt failed; the next begins in `wait_s` seconds."""

    def waiting(self) -> None:
        """Another process fetches the same file; this one waits for it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where files come from, and where they go.

    `mirror` is a URL that stands before host and path of each source. `folder` holds files, and
    where it is given, nothing is downloaded.
    """

    weights_dir: Path
    mirror: str | None = None
    folder: Path | None = None
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Fetched:
    """`new` is False where the file was here before; `along` names those of the same archive."""

    entry: CatalogueEntry
    path: Path
    receipt: Receipt
    new: bool
    along: tuple[str, ...] = ()


def find_in_catalogue(name: str) -> CatalogueEntry:
    """Raises NotInCatalogue, with the name that is most like it."""
    known = catalogue()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    raise NotInCatalogue(
        f"there is no network {name!r} in the catalogue"
        + (f"; did you mean {near[0]}?" if near else "")
    )


def fetch_network(
    name: str,
    places: Places,
    watcher: Watcher,
    *,
    sha256: str | None = None,
    accept_license: bool = False,
) -> Fetched:
    """Fetch the file of a network, unless it is here already.

    `sha256` is the digest of the network's file that the caller trusts; it is needed where no
    source states one. Raises FetchFailed, or one of its kinds.
    """
    entry = find_in_catalogue(name)
    if not entry.sources:
        raise FetchFailed(f"the file of {name} is not published; {entry.recipe}")
    digest = _chosen_digest(entry, sha256)
    present = _present(entry, digest, places)
    if present is not None:
        return present
    if entry.needs_acceptance and not accept_license:
        raise LicenseNotAccepted(
            f"the licence of {name} ({entry.license.name}, {entry.license.url}) has to be accepted",
            name=name,
        )
    if digest is None and any(source.sha256 is None for source in entry.sources):
        raise DigestUnknown(
            f"no source states the SHA-256 of {name}, so that its file cannot be checked", name=name
        )
    return _Fetch(entry, digest, places, watcher, accepted=accept_license).run()


def _chosen_digest(entry: CatalogueEntry, given: str | None) -> str | None:
    """The digest that the network's file must have."""
    if given is not None and entry.sha256 not in (None, given):
        raise FetchFailed(
            f"the SHA-256 given for {entry.name} is {given}, but the catalogue pins {entry.sha256}"
        )
    return entry.sha256 or given


def _present(entry: CatalogueEntry, digest: str | None, places: Places) -> Fetched | None:
    try:
        receipt = find_receipt(entry, places.weights_dir)
    except WeightsInvalidError:
        return None  # it is written anew
    path = file_of(entry.name, places.weights_dir)
    if receipt is None or digest not in (None, receipt.sha256):
        return None
    if path.stat().st_size != receipt.bytes or file_sha256(path) != receipt.sha256:
        return None
    return Fetched(entry, path, receipt, new=False)


class _Fetch:
    """One fetch of one network, with the lock of its file held."""

    def __init__(
        self,
        entry: CatalogueEntry,
        digest: str | None,
        places: Places,
        watcher: Watcher,
        *,
        accepted: bool,
    ) -> None:
        self._entry = entry
        self._digest = digest
        self._places = places
        self._watcher = watcher
        self._accepted = accepted
        self._dir = catalogue_dir(places.weights_dir)

    def run(self) -> Fetched:
        self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._places.folder is not None:
            with self._locked(f"{self._entry.name}.onnx"):
                return self._already() or self._from_folder(self._places.folder)
        failure: FetchFailed | None = None
        for source in self._entry.sources:
            try:
                with self._locked(source.file), _disk_errors(self._dir):
                    return self._already() or self._from_server(source)
            except (SourceUnavailable, FileNotAsPinned) as error:
                failure = failure or error
        assert failure is not None
        raise failure

    def _already(self) -> Fetched | None:
        """The file, if another process fetched it while this one waited."""
        return _present(self._entry, self._digest, self._places)

    @contextmanager
    def _locked(self, file: str) -> Iterator[None]:
        """Keep other processes from the same download: the lock is that of what is downloaded."""
        lock = FileLock(self._dir / f".{file}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._watcher.waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _from_server(self, source: Source) -> Fetched:
        url = _mirrored(source.url, self._places.mirror)
        size = self._entry.bytes if source.member is None else source.bytes
        most = self._entry.most_bytes if size is None else size
        partial = self._dir / f".{source.file}.part"
        resumed = partial.exists()
        self._require_space(size, source, partial)
        self._watcher.source(shown(url))
        wanted = Download(url, size, most, self._places.patience)
        download(wanted, partial, self._watcher.progress, self._watcher.retry)
        try:
            fetched = self._take(source, partial, shown(url))
        except FileNotAsPinned:
            discard(partial)
            if not resumed:
                raise
            # The part that was here may have been of another version: once more from the start.
            return self._from_server(source)
        discard(partial)
        return fetched

    def _require_space(self, size: int | None, source: Source, partial: Path) -> None:
        """Refuse a download that the disk has no room for, with what is extracted from it."""
        here = partial.stat().st_size if partial.exists() else 0
        expected = size or self._entry.about_bytes or 0
        needed = max(expected - here, 0) + _SPARE_BYTES
        needed += 0 if source.member is None else (self._entry.bytes or 0)
        free = shutil.disk_usage(self._dir).free
        if free < needed:
            raise _no_space(self._dir, f"{needed} bytes are needed, {free} are free")

    def _from_folder(self, folder: Path) -> Fetched:
        """Take the file, or an archive that holds it, by its name."""
        names = [f"{self._entry.name}.onnx"]
        for source in self._entry.sources:
            names += [source.file] if source.member is None else [source.file, source.member]
        failure = FetchFailed(
            f"the folder {folder} holds none of {', '.join(dict.fromkeys(names))}"
            if folder.is_dir()
            else f"there is no folder {folder}"
        )
        for path, source in self._candidates(folder):
            self._watcher.source(str(path))
            try:
                with _disk_errors(self._dir):
                    return self._take(source, path, str(path))
            except FileNotAsPinned as error:
                failure = error
        raise failure

    def _candidates(self, folder: Path) -> Iterator[tuple[Path, Source]]:
        """Files of the folder that may be the network, or an archive with it."""
        plain = Source(url=self._entry.sources[0].url)
        for path in (folder / f"{self._entry.name}.onnx", *self._bare_files(folder)):
            if path.is_file() and self._digest is not None:
                yield path, plain
        for source in self._entry.sources:
            path = folder / source.file
            if source.member is not None and path.is_file():
                yield path, source

    def _bare_files(self, folder: Path) -> Iterator[Path]:
        for source in self._entry.sources:
            yield folder / (source.member or source.file)

    def _take(self, source: Source, path: Path, where: str) -> Fetched:
        """Check what was fetched and give the network's file its name.

        Raises FileNotAsPinned; nothing has the network's name then.
        """
        if source.member is None:
            receipt = self._place(self._entry, self._digest, path, where)
            return Fetched(self._entry, self._path(self._entry), receipt, new=True)
        if source.sha256 is not None:
            found = file_sha256(path)
            if found != source.sha256:
                raise FileNotAsPinned(
                    f"{where} has the SHA-256 {found}, expected {source.sha256}: it is another "
                    "archive, or damaged"
                )
        receipt = self._place_member(self._entry, self._digest, source, path, where)
        along = tuple(
            other.name
            for other in catalogue().values()
            if other.license == self._entry.license and self._along(other, source, path, where)
        )
        return Fetched(self._entry, self._path(self._entry), receipt, new=True, along=along)

    def _along(self, other: CatalogueEntry, source: Source, path: Path, where: str) -> bool:
        """Place another network of the same archive, so that it need not be fetched again."""
        if other.name == self._entry.name or _present(other, other.sha256, self._places):
            return False
        same = next((one for one in other.sources if one.url == source.url), None)
        if same is None or same.member is None:
            return False
        self._place_member(other, other.sha256, same, path, where)
        return True

    def _place_member(
        self, entry: CatalogueEntry, digest: str | None, source: Source, path: Path, where: str
    ) -> Receipt:
        assert source.member is not None
        extracted = self._dir / f".{entry.name}.{os.getpid()}.tmp"
        try:
            extract_member(path, source.member, extracted, most_bytes=entry.most_bytes)
            return self._place(entry, digest, extracted, f"{where} ({source.member})")
        finally:
            extracted.unlink(missing_ok=True)

    def _place(self, entry: CatalogueEntry, digest: str | None, path: Path, where: str) -> Receipt:
        """Check a file and give it the network's name; one of another folder is copied first."""
        own = path.parent == self._dir
        copy = self._dir / f".{entry.name}.{os.getpid()}.copy"
        try:
            checked = path if own else Path(shutil.copyfile(path, copy))
            size = checked.stat().st_size
            if entry.bytes not in (None, size):
                raise FileNotAsPinned(
                    f"{where} has {size} bytes, expected {entry.bytes}: it is another file"
                )
            found = file_sha256(checked)
            if digest not in (None, found):
                raise FileNotAsPinned(
                    f"{where} has the SHA-256 {found}, expected {digest}: it is another file, or "
                    "damaged"
                )
            move_into_place(checked, self._path(entry))
        finally:
            copy.unlink(missing_ok=True)
        receipt = self._receipt(entry, found, size, where)
        write_receipt(receipt, self._places.weights_dir)
        return receipt

    def _receipt(self, entry: CatalogueEntry, digest: str, size: int, where: str) -> Receipt:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Receipt(
            name=entry.name,
            bytes=size,
            sha256=digest,
            source=where,
            fetched=now,
            license=entry.license.name,
            license_url=entry.license.url,
            license_accepted=now if self._accepted and entry.needs_acceptance else None,
        )

    def _path(self, entry: CatalogueEntry) -> Path:
        return file_of(entry.name, self._places.weights_dir)


def _mirrored(url: str, mirror: str | None) -> str:
    """MIRROR/HOST/PATH, which is how `wget --force-directories` lays files out."""
    if mirror is None:
        return url
    parts = urlsplit(url)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL_ERRNOS:
            raise _no_space(folder, str(error.strerror)) from error
        raise


def _no_space(folder: Path, why: str) -> FetchFailed:
    return FetchFailed(f"the disk of {folder} has no room for the file ({why})")
