"""A gallery: its parts by feature; it is opened and closed as one."""

from app.gallery.dismissals import Dismissals
from app.gallery.gallery_collections import GalleryCollections
from app.gallery.people.corrections import Corrections
from app.gallery.people.face_assignments import FaceAssignments
from app.gallery.people.gallery_consents import GalleryConsents
from app.gallery.people.gallery_faces import GalleryFaces
from app.gallery.people.gallery_people import GalleryPeople
from app.gallery.people.holds import Holds
from app.gallery.people.person_data import PersonData
from app.gallery.rollout.embedder_pair import Embedders
from app.gallery.search.gallery_search import GallerySearch
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.idempotency import KeptAnswer, Ticket
from app.gallery.sync.index_sync import Sync
from app.recognition.types import ModelId


class Gallery:
    """Collections, people and faces of the embedder `model`, and of the one that comes next.

    New collections are of `model`, and so is an embedding that comes without a photo.
    """

    def __init__(
        self,
        database: Database,
        sync: Sync,
        model: ModelId,
        next_model: ModelId | None = None,
        *,
        chosen_by_auto: bool = False,
    ) -> None:
        self.store = Store(database)
        self.sync = sync
        self.states = sync.states
        """What this process keeps of the collections."""
        self.model = model
        self.embedders = Embedders(model, next_model, chosen_by_auto)
        parts = self.store, sync, self.embedders
        self.collections = GalleryCollections(*parts)
        self.people = GalleryPeople(*parts)
        self.consents = GalleryConsents(*parts)
        self.faces = GalleryFaces(*parts)
        self.holds = Holds(self.store)
        self.person_data = PersonData(*parts)
        self.corrections = Corrections(*parts)
        self.assignments = FaceAssignments(*parts)
        self.search = GallerySearch(*parts)
        self.dismissals = Dismissals(*parts)

    def open(self) -> None:
        """Check the default collection and the embedders, then make the indexes ready.

        Raises StartupError as `GalleryCollections.claim` does.
        """
        self.collections.claim()
        self.sync.load_all()

    @read_again
    def kept_answer(self, ticket: Ticket) -> KeptAnswer | None:
        """Return the answer to an earlier request of this key. Raises IdempotencyKeyReused."""
        with self.store.reading_all() as collections:
            return collections.answers.find(ticket)

    def close(self) -> None:
        self.sync.close()
        self.store.database.close()
