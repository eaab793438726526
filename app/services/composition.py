"""The composition root: builds a service from its settings."""

from functools import partial
from math import inf

from app.constants import CONSTANTS, Constants
from app.gallery.delivery.gallery_webhooks import GalleryWebhooks
from app.gallery.delivery.target_store import TargetStore
from app.gallery.gallery import Gallery
from app.gallery.journal.audit_log import AuditLog
from app.gallery.journal.events import Events
from app.gallery.journal.head_signer import HeadSigner
from app.gallery.journal.opening import audit_key_of, journal_of, signing_key_of
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.journal.reads import ReadLog
from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_ring import KeyRing
from app.gallery.keys.opening import pair_secrets_of, settings_keys_of
from app.gallery.retention.clock_guard import ClockGuard
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from app.gallery.store.database_watch import DatabaseWatch
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import InboxLimits
from app.gallery.vault.opening import vault_by
from app.observe.metrics import Metrics
from app.observe.request_scope import Stage
from app.observe.tracing import build_tracing
from app.observe.traffic import Traffic
from app.operations.access.person_finder import PersonFinder
from app.operations.access.person_reader import PersonReader
from app.operations.corrections import GalleryCorrector
from app.operations.crop_reader import CropReader
from app.operations.doctor import GalleryExaminer
from app.operations.enroll.batch_enroller import BatchEnroller
from app.operations.enroll.crop_vault import CropVault
from app.operations.enroll.enroller import Enroller
from app.operations.enroll.faces_enroller import FacesEnroller
from app.operations.enroll.guard_lookup import Guards
from app.operations.face_assigner import FaceAssigner
from app.operations.identify.blocking_notes import BlockingNotes
from app.operations.identify.blocking_search import BlockingSearch
from app.operations.identify.face_search import FaceSearch
from app.operations.identify.identifier import Identifier, IdentifyLimits
from app.operations.identify.verifier import Verifier
from app.operations.policy.calibrator import Calibrator
from app.operations.rollout.embedder_choice import ChosenBy, EmbedderChoice, choose_embedder
from app.operations.rollout.shadow_decisions import LiveShadow
from app.operations.unknown_finder import UnknownFinder
from app.operations.unknown_reader import UnknownReader
from app.operations.unknowns import UnknownKeeper, UnknownNamer
from app.recognition.build import (
    build_recognizer,
    load_configured_network,
    load_next_network,
)
from app.recognition.liveness.load_liveness import load_liveness
from app.recognition.scheduler import SchedulerWatch
from app.runtime.stopping import StopSignal
from app.services.delivery.deliverer import Deliverer
from app.services.delivery.mqtt_building import mqtt_sources
from app.services.delivery.webhooks.webhook_service import WebhookService
from app.services.delivery.webhooks.webhook_targets import WebhookSource
from app.services.index_building import build_sync
from app.services.known_thresholds import default_thresholds, next_thresholds
from app.services.readiness import Readiness
from app.services.services import Services
from app.services.sweep import Sweep
from app.settings import Settings
from models.zoo.network import Network

_PROBE_TIMEOUT_S = 2.0


def build_services(
    settings: Settings,
    choice: EmbedderChoice | None = None,
    constants: Constants = CONSTANTS,
) -> Services:
    """Choose the embedder unless that is done, load the networks and open the database.

    Raises StartupError with the remedy.
    """
    choice = choice or choose_embedder(settings)
    settings = choice.settings
    tracing = build_tracing()
    metrics = Metrics()
    network = load_chosen_network(choice)
    next_network = load_next_network(settings)
    recognizer = build_recognizer(
        settings,
        network,
        next_network=next_network,
        liveness=load_liveness(settings),
        watch=SchedulerWatch(
            batch=partial(metrics.observe_batch, Stage.DETECT), dropped=metrics.count_dropped
        ),
    )
    database = Database(
        settings.resolved_database_url,
        timeout_s=settings.database.timeout_s,
        reserve_bytes=constants.reserve_bytes,
    )
    database.journal = journal_of(settings)
    database.vault = vault_by(settings, database)
    models = (recognizer.model, recognizer.next_model)
    digests = [model.digest for model in models if model is not None]
    gallery = Gallery(
        database,
        build_sync(settings, database, digests, constants),
        *models,
        chosen_by_auto=choice.by is ChosenBy.AUTO,
    )
    thresholds = default_thresholds(settings, network)
    calibrator = Calibrator(
        CalibrationStore(database),
        gallery,
        thresholds,
        None if next_network is None else next_thresholds(settings, next_network),
    )
    probe = Database(settings.resolved_database_url, timeout_s=_PROBE_TIMEOUT_S)
    probe.gives_up = lambda waited_s: _PROBE_TIMEOUT_S < waited_s < inf
    probe.storage = database.storage
    watch = DatabaseWatch(probe.check, gallery.sync.lag, beside=database.storage.look_again)
    database.gives_up = watch.gives_up
    guards = Guards(gallery, calibrator, enabled=settings.guards.enabled)
    vault = CropVault.of(settings)
    reads = ReadLog(database)
    rejections = QualityRejections(database)
    audit = AuditLog(database, partial(audit_key_of, settings))
    signer = HeadSigner(database, partial(signing_key_of, settings))
    enroller = Enroller(recognizer, gallery, guards, rejections, vault)
    unknowns = Unknowns(database, gallery, _inbox_limits(settings, constants))
    crops = CropReader(gallery, unknowns, vault, reads)
    search = BlockingSearch(gallery, calibrator)
    events = Events(database)
    webhooks = GalleryWebhooks(database)
    stop_signal = StopSignal()
    return Services(
        settings=settings,
        constants=constants,
        choice=choice,
        device=network.device,
        runtime=network.runtime,
        precision=network.precision,
        metrics=metrics,
        traffic=Traffic(),
        tracing=tracing,
        recognizer=recognizer,
        gallery=gallery,
        calibrator=calibrator,
        enroll=enroller,
        enroll_batch=BatchEnroller(enroller, gallery, guards),
        enroll_faces=FacesEnroller(
            recognizer, gallery, enroller, rejections, max_faces=settings.limits.max_faces
        ),
        examine_gallery=GalleryExaminer(gallery, calibrator),
        correct=GalleryCorrector(gallery.corrections, gallery.faces, guards),
        assign=FaceAssigner(gallery, calibrator),
        verify=Verifier(recognizer, gallery, calibrator, rejections),
        crops=crops,
        find_person=PersonFinder(recognizer, gallery, calibrator),
        read_person=PersonReader(gallery, calibrator, crops, audit),
        search=search,
        identify=Identifier(
            recognizer,
            gallery,
            search,
            BlockingNotes(
                gallery,
                UnknownKeeper(gallery, unknowns, vault),
                terminal_people=constants.terminal_people,
            ),
            rejections,
            IdentifyLimits(max_faces=settings.limits.max_faces, max_wait_s=constants.max_wait_s),
            LiveShadow(metrics.count_shadow) if settings.next.shadow else None,
        ),
        search_faces=FaceSearch(recognizer, gallery, calibrator, rejections),
        unknowns=unknowns,
        sweep=Sweep(
            gallery,
            unknowns,
            log_revisions=constants.log_revisions,
            keys_kept_s=constants.keys_kept_s,
            prune_audit=lambda moments: audit.prune(
                kept_s=settings.audit.retention_s, moments=moments
            ),
            guard=ClockGuard(gallery.store),
        ),
        audit=audit,
        signer=signer,
        reads=reads,
        rejections=rejections,
        events=events,
        deliverer=Deliverer(
            TargetStore(database),
            [
                WebhookSource(webhooks, settings.webhooks, gallery.people.get, reads),
                *mqtt_sources(settings, database, gallery.people.get, reads, metrics),
            ],
            metrics,
            lease_s=constants.lease_s,
            newest=lambda: events.newest,
        ),
        webhooks=WebhookService(webhooks, settings.webhooks),
        name_unknown=UnknownNamer(unknowns),
        find_unknown=UnknownFinder(recognizer, unknowns, calibrator),
        read_unknowns=UnknownReader(unknowns, calibrator),
        database=database,
        settings_keys=settings_keys_of(settings),
        key_ring=KeyRing(GalleryKeys(database, pair_secrets_of(settings, database.vault))),
        watch=watch,
        stop_signal=stop_signal,
        readiness=Readiness(database, watch, stop_signal),
        probe=probe,
    )


def _inbox_limits(settings: Settings, constants: Constants) -> InboxLimits:
    retention = settings.retention
    return InboxLimits(
        retention_s=retention.unknown_s,
        faces=retention.unknown_faces,
        faces_a_group=constants.unknown_faces_a_group,
    )


def load_chosen_network(choice: EmbedderChoice) -> Network:
    """Raises StartupError with the remedy, which says where `auto` chose the network, and why."""
    with choice.explaining():
        return load_configured_network(choice.settings)
