"""Galleries of every kind of person, and what two of them have in common: all but the numbers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.gallery.collection_options import from_json
from app.gallery.gallery import Gallery
from app.gallery.people.consent_records import ConsentBasis, NewConsent
from app.gallery.records import CollectionChanges, NewFace, NewIdentity
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from app.gallery.store.tables import (
    AttributeTable,
    CalibrationTable,
    CollectionTable,
    ConsentTable,
    FaceTable,
    IdentityTable,
)
from app.gallery.sync.index_sync import IndexSync
from app.gallery.transfer.archive_manifest import CollectionEntry
from app.recognition.types import ModelId
from tests.gallery.factories import COLLECTION, MODEL, new_face, unit_vectors
from tests.kit.exact_index import ExactIndex

Rows = dict[str, list[tuple[object, ...]]]

PEOPLE = (
    NewIdentity(name="Ada", external_id="emp-1", attributes={"team": "engines", "level": 3}),
    NewIdentity(),
    NewIdentity(
        name="山田 太郎 👩🏽‍🚀",
        external_id='Robert\'); DROP TABLE faces;-- "\\u0000"\n',
        attributes={
            "true": True,
            "float": 0.1 + 0.2,
            "huge": 10**30,
            "text": "back\\slash \\u0000 \u2028 \x7f é",
            "nested": {"list": [1, None, {"a": [[]]}]},
            "none": None,
            "": "an empty key",
            "long": "x" * 300,
        },
        expires_at=datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ),
    NewIdentity(name="x" * 256, external_id="é" * 256),
    NewIdentity(
        name="",
        expires_at=datetime.now(UTC) + timedelta(days=1),
        threshold=0.75,
        consent=NewConsent(
            "é", ConsentBasis.CONTRACT, "2", "x\n", None, datetime.now(UTC) + timedelta(days=2)
        ),
    ),
)


def open_gallery(database: Database, *, model: ModelId = MODEL) -> Gallery:
    """What a service does on this database; its index has nothing left out."""
    gallery = Gallery(database, IndexSync(database, ExactIndex), model)
    gallery.open()
    return gallery


def fill(database: Database, *, copies: int = 1) -> Gallery:
    """Everybody of PEOPLE, with 0 to 4 faces each, in two collections; and an empty third."""
    gallery = open_gallery(database)
    gallery.collections.create("staff", "Head office, 1\u00ba")
    gallery.collections.create("empty", None)
    options: dict[str, Mapping[str, object]] = {
        "decisions": {"target_fpir": 0.02, "margin": 0.0},
        "unknowns": {"keep": True, "retention_s": 60.0},
    }
    gallery.collections.update("staff", CollectionChanges(options=options))
    CalibrationStore(database).replace("staff", {"measured": [1.5, "é", None]})
    for collection in (COLLECTION, "staff"):
        vectors = iter(unit_vectors(20 * copies, seed=len(collection)))
        for copy in range(copies):
            for count, person in enumerate(PEOPLE):
                key = person.external_id and f"{copy}{person.external_id}"[:256]
                new = replace(person, external_id=key)
                faces = [new_face(next(vectors)) for _ in range(count)]
                gallery.people.enroll(collection, new, faces)
        # As of an embedding that was computed elsewhere.
        bare = NewFace(next(vectors), None, None, None, f"{collection:0<64}")
        gallery.people.enroll(collection, NewIdentity(name="bare"), [bare])
    return gallery


def as_archived(entry: CollectionEntry) -> Mapping[str, object] | None:
    """Take over the calibration of an archived collection, whatever it is."""
    return entry.calibration


def rows(database: Database, *, calibrations: bool = True) -> Rows:
    """All that an archive holds, by table, in an order of its own."""
    with database.reading() as session:
        collections = {row.number: row for row in session.scalars(select(CollectionTable))}
        people = {row.number: row for row in session.scalars(select(IdentityTable))}
        faces = session.scalars(select(FaceTable)).all()
        consents = session.scalars(select(ConsentTable)).all()
        attributes = session.scalars(select(AttributeTable)).all()
        maps = {row.collection_number: row.map for row in session.scalars(select(CalibrationTable))}
    names = {number: row.name for number, row in collections.items()}
    told: Rows = {
        "collections": [
            (
                row.name,
                row.description,
                row.embedder,
                row.digest,
                row.dimension,
                row.created_at,
                from_json(row.options),
                maps.get(row.number) if calibrations else None,
            )
            for row in collections.values()
        ],
        "identities": [
            (
                row.id,
                names[row.collection_number],
                row.external_id,
                row.name,
                row.attributes,
                row.created_at,
                row.updated_at,
                row.expires_at,
                row.threshold,
                row.consent_until,
            )
            for row in people.values()
        ],
        "faces": [
            (
                row.id,
                names[row.collection_number],
                people[row.identity_number].id,
                row.embedding,
                row.embedder,
                row.digest,
                row.box,
                row.landmarks,
                row.detection_score,
                row.quality,
                row.forced,
                row.image_sha256,
                row.image_width,
                row.image_height,
                row.image_label,
                row.created_at,
            )
            for row in faces
        ],
        "consents": [
            (
                row.id,
                people[row.identity_number].id,
                row.purpose,
                row.basis,
                row.text_version,
                row.source,
                row.given_at,
                row.until,
                row.withdrawn_at,
                row.recorded_at,
                row.recorded_by,
                row.withdrawn_by,
            )
            for row in consents
        ],
        "attributes": [
            (
                people[row.identity_number].id,
                row.key,
                names[row.collection_number],
                row.value,
                row.reversed,
            )
            for row in attributes
        ],
    }
    return {table: sorted(values, key=lambda row: row[:2]) for table, values in told.items()}


def assert_whole_people_of(some: Rows, whole: Rows) -> None:
    """Whoever is among `some` is there exactly as in `whole`, with all their faces."""
    present = {row[0] for row in some["identities"]}
    owner = {"identities": 0, "faces": 2, "consents": 1, "attributes": 0}
    for table, column in owner.items():
        assert some[table] == [row for row in whole[table] if row[column] in present]
