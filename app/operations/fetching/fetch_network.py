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
    """The events of a fetch."""

    def source(self, where: str) -> None:
        """The file now comes from `where`: a URL or a path."""

    def progress(self, done: int, total: int | None) -> None:
        """`done` bytes of `total` are here; None where the total is not known."""

    def retry(self, reason: str, wait_s: float) -> None:
        """An attempt failed; the next one begins in `wait_s` seconds."""

    def waiting(self) -> None:
        """Another process fetches the same file, and this one waits for it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Sources of files, and the folder that they are put into.

    `mirror` is a URL that stands before host and path of each source. `folder` holds files; with
    it, nothing is downloaded.
    """

    weights_dir: Path
    mirror: str | None = None
    folder: Path | None = None
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Fetched:
    """`new` is False where the file was here before; `along` names other networks of the same
    archive that were taken as well."""

    entry: CatalogueEntry
    path: Path
    receipt: Receipt
    new: bool
    along: tuple[str, ...] = ()


def find_in_catalogue(name: str) -> CatalogueEntry:
    """Raises NotInCatalogue, which names the most similar network."""
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
    if sha256 is not None and entry.sha256 not in (None, sha256):
        raise FetchFailed(
            f"the SHA-256 given for {name} is {sha256}, but the catalogue pins {entry.sha256}"
        )
    digest = entry.sha256 or sha256
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
            f"no source states the SHA-256 of {name}, so its file cannot be checked", name=name
        )
    return _Fetch(entry, digest, places, watcher, accept_license).run()


def _present(entry: CatalogueEntry, digest: str | None, places: Places) -> Fetched | None:
    try:
        receipt = find_receipt(entry, places.weights_dir)
    except WeightsInvalidError:
        return None  # the receipt is written again
    path = file_of(entry.name, places.weights_dir)
    if receipt is None or digest not in (None, receipt.sha256):
        return None
    if path.stat().st_size != receipt.bytes or file_sha256(path) != receipt.sha256:
        return None
    return Fetched(entry, path, receipt, new=False)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One fetch of one network, whose file must have the `digest`, if that is known."""

    entry: CatalogueEntry
    digest: str | None
    places: Places
    watcher: Watcher
    license_accepted: bool

    @property
    def _dir(self) -> Path:
        return catalogue_dir(self.places.weights_dir)

    def run(self) -> Fetched:
        self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.places.folder is not None:
            with self._locked(f"{self.entry.name}.onnx"):
                return self._already() or self._from_folder(self.places.folder)
        failure: FetchFailed | None = None
        for source in self.entry.sources:
            try:
                with self._locked(source.file), _disk_errors(self._dir):
                    return self._already() or self._from_server(source)
            except (SourceUnavailable, FileNotAsPinned) as error:
                failure = failure or error
        assert failure is not None
        raise failure

    def _already(self) -> Fetched | None:
        """The file, if another process fetched it while this one waited."""
        return _present(self.entry, self.digest, self.places)

    @contextmanager
    def _locked(self, file: str) -> Iterator[None]:
        """Hold the lock of a downloaded file, so that one process downloads it."""
        lock = FileLock(self._dir / f".{file}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.watcher.waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _from_server(self, source: Source) -> Fetched:
        url = _mirrored(source.url, self.places.mirror)
        size = self.entry.bytes if source.member is None else source.bytes
        most = self.entry.most_bytes if size is None else size
        partial = self._dir / f".{source.file}.part"
        resumed = partial.exists()
        self._require_space(size, source, partial)
        self.watcher.source(shown(url))
        wanted = Download(url, size, most, self.places.patience)
        download(wanted, partial, self.watcher.progress, self.watcher.retry)
        try:
            fetched = self._take(source, partial, shown(url))
        except FileNotAsPinned:
            discard(partial)
            if not resumed:
                raise
            # The partial file may have been of another version: download all of it once more.
            return self._from_server(source)
        discard(partial)
        return fetched

    def _require_space(self, size: int | None, source: Source, partial: Path) -> None:
        """Raises FetchFailed if the disk has no room for a download and what it contains."""
        here = partial.stat().st_size if partial.exists() else 0
        expected = size or self.entry.about_bytes or 0
        needed = max(expected - here, 0) + _SPARE_BYTES
        needed += 0 if source.member is None else (self.entry.bytes or 0)
        free = shutil.disk_usage(self._dir).free
        if free < needed:
            raise _no_space(self._dir, f"{needed} bytes are needed, {free} are free")

    def _from_folder(self, folder: Path) -> Fetched:
        """Take the network's file, or an archive that contains it, by its name."""
        own, sources = f"{self.entry.name}.onnx", self.entry.sources
        names = [own]
        for source in sources:
            names += [source.file] if source.member is None else [source.file, source.member]
        failure = FetchFailed(
            f"the folder {folder} holds none of {', '.join(dict.fromkeys(names))}"
            if folder.is_dir()
            else f"there is no folder {folder}"
        )
        plain = Source(url=sources[0].url)
        files = [own, *(source.member or source.file for source in sources)]
        candidates = [(folder / name, plain) for name in files if self.digest is not None]
        candidates += [(folder / one.file, one) for one in sources if one.member is not None]
        for path, source in candidates:
            if not path.is_file():
                continue
            self.watcher.source(str(path))
            try:
                with _disk_errors(self._dir):
                    return self._take(source, path, str(path))
            except FileNotAsPinned as error:
                failure = error
        raise failure

    def _take(self, source: Source, path: Path, where: str) -> Fetched:
        """Check a fetched file and give the network's file its name.

        Raises FileNotAsPinned; no file has the network's name then.
        """
        along: tuple[str, ...] = ()
        if source.member is None:
            receipt = self._place(self.entry, self.digest, path, where)
        else:
            if source.sha256 is not None:
                _require_digest(path, source.sha256, where, "another archive")
            receipt = self._place_member(self.entry, self.digest, source, path, where)
            along = tuple(
                other.name
                for other in catalogue().values()
                if other.license == self.entry.license and self._along(other, source, path, where)
            )
        path = file_of(self.entry.name, self.places.weights_dir)
        return Fetched(self.entry, path, receipt, new=True, along=along)

    def _along(self, other: CatalogueEntry, source: Source, path: Path, where: str) -> bool:
        """Place another network of the same archive, so that it need not be fetched again."""
        if other.name == self.entry.name or _present(other, other.sha256, self.places):
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
            found = _require_digest(checked, digest, where, "another file")
            move_into_place(checked, file_of(entry.name, self.places.weights_dir))
        finally:
            copy.unlink(missing_ok=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        receipt = Receipt(
            name=entry.name,
            bytes=size,
            sha256=found,
            source=where,
            fetched=now,
            license=entry.license.name,
            license_url=entry.license.url,
            license_accepted=now if self.license_accepted and entry.needs_acceptance else None,
        )
        write_receipt(receipt, self.places.weights_dir)
        return receipt


def _require_digest(path: Path, expected: str | None, where: str, otherwise: str) -> str:
    """Return the SHA-256 of a file. Raises FileNotAsPinned if another one is expected."""
    found = file_sha256(path)
    if expected not in (None, found):
        raise FileNotAsPinned(
            f"{where} has the SHA-256 {found}, expected {expected}: it is {otherwise}, or damaged"
        )
    return found


def _mirrored(url: str, mirror: str | None) -> str:
    """MIRROR/HOST/PATH, the layout of `wget --force-directories`."""
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
