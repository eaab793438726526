"""Whatever is done to the inbox, by two processes in turns, it stays what a naive loop says."""

import shutil
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.gallery.records import NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.tables import UnknownCropTable
from app.gallery.unknowns.unknown_inbox import Unknowns
from tests.gallery.factories import COLLECTION, new_gallery, unit_vectors
from tests.gallery.unknowns.inboxes import (
    LIMITS,
    THRESHOLD,
    NaiveGroup,
    NaiveInbox,
    groups_of,
    new_inbox,
    sighting,
    wants_unknowns,
)

_PEOPLE = unit_vectors(4, seed=3)

_places = st.integers(0, 9)
_steps = st.one_of(
    st.tuples(st.just("see"), st.integers(0, 3), st.integers(0, 200)),
    st.tuples(st.just("see"), st.integers(0, 3), st.integers(0, 200)),
    st.tuples(st.just("merge"), _places, _places),
    st.tuples(st.just("split"), _places, _places),
    st.tuples(st.just("dismiss"), _places, _places),
    st.tuples(st.just("dismiss_face"), _places, _places),
    st.tuples(st.just("name"), _places, _places),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 1), _steps), min_size=5, max_size=40))
def test_inbox_is_what_a_naive_loop_makes_of_it(
    migrated_sqlite: Path, steps: list[tuple[int, tuple[str, int, int]]]
) -> None:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "gallery.db"
        shutil.copy(migrated_sqlite, path)
        database = stack.enter_context(closing(Database(f"sqlite:///{path}", timeout_s=10)))
        gallery = new_gallery(database)
        gallery.open()
        wants_unknowns(gallery, crops=True)
        machine = _Machine(database, [new_inbox(database, gallery) for _ in range(2)])
        for process, (verb, first, second) in steps:
            machine.step(process, verb, first, second)
            machine.check()
        assert gallery.collections.get(COLLECTION).face_count == machine.enrolled
        assert gallery.sync.face_count() == machine.enrolled


class _Machine:
    """The inboxes of two processes, and what they should hold."""

    def __init__(self, database: Database, processes: list[Unknowns]) -> None:
        self._database = database
        self._processes = processes
        self._naive = NaiveInbox()
        self._photos = 0
        self.enrolled = 0

    def step(self, process: int, verb: str, first: int, second: int) -> None:
        unknowns = self._processes[process]
        if verb == "see":
            self._see(unknowns, first, second)
        elif self._naive.groups:
            ids = sorted(self._naive.groups)
            getattr(self, f"_{verb}")(unknowns, ids[first % len(ids)], ids[second % len(ids)])

    def check(self) -> None:
        for unknowns in self._processes:
            assert groups_of(unknowns) == self._naive.photos()
        for group_id, seen in self._naive.counts().items():
            assert self._processes[0].get_group(COLLECTION, group_id)[0].seen_count == seen
        with self._database.reading() as session:
            crops = [row.sealed.decode() for row in session.query(UnknownCropTable)]
        assert sorted(crops) == sorted(chain.from_iterable(self._naive.photos().values()))

    def _see(self, unknowns: Unknowns, person: int, seed: int) -> None:
        noise = np.random.default_rng(seed).normal(scale=0.25, size=8)
        vector = (_PEOPLE[person] + noise).astype(np.float32)
        vector /= np.linalg.norm(vector)
        self._photos += 1
        photo = str(self._photos)
        seen = replace(sighting(vector, photo=photo), sealed_crop=photo.encode())
        (group_id,) = unknowns.keep(COLLECTION, [seen], THRESHOLD)
        self._naive.see(photo, vector, group_id)

    def _merge(self, unknowns: Unknowns, first: str, second: str) -> None:
        merged = unknowns.merge(COLLECTION, [first, second])
        if first == second:
            return
        assert merged.id in {first, second}
        other = self._naive.groups.pop(({first, second} - {merged.id}).pop())
        group = self._naive.groups[merged.id]
        group.faces = sorted([*group.faces, *other.faces], key=lambda face: int(face[0]))
        group.seen += other.seen
        group.trim()

    def _split(self, unknowns: Unknowns, group_id: str, _: str) -> None:
        group = self._naive.groups[group_id]
        if len(group.faces) < 2:
            return
        found, faces = unknowns.get_group(COLLECTION, group_id)
        assert found.id == group_id
        made = unknowns.split(COLLECTION, group_id, [faces[0].id])
        self._naive.groups[made.id] = NaiveGroup(group.faces[:1], 1)
        group.faces = group.faces[1:]
        group.seen = max(len(group.faces), group.seen - 1)

    def _dismiss(self, unknowns: Unknowns, group_id: str, _: str) -> None:
        assert unknowns.dismiss(COLLECTION, group_id).group_ids == (group_id,)
        del self._naive.groups[group_id]

    def _dismiss_face(self, unknowns: Unknowns, group_id: str, _: str) -> None:
        _group, faces = unknowns.get_group(COLLECTION, group_id)
        unknowns.dismiss_face(COLLECTION, group_id, faces[-1].id)
        self._take(group_id, -1)

    def _name(self, unknowns: Unknowns, group_id: str, other: str) -> None:
        if group_id == other:
            _group, faces = unknowns.get_group(COLLECTION, group_id)
            unknowns.name(COLLECTION, group_id, NewIdentity(), [faces[0].id])
            self._take(group_id, 0)
            self.enrolled += 1
            return
        identity, _ = unknowns.name(COLLECTION, group_id, NewIdentity(), None)
        count = len(self._naive.groups.pop(group_id).faces)
        assert identity.face_count == count <= LIMITS.faces_a_group
        self.enrolled += count

    def _take(self, group_id: str, place: int) -> None:
        group = self._naive.groups[group_id]
        del group.faces[place]
        group.seen -= 1
        if not group.faces:
            del self._naive.groups[group_id]
