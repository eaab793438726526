"""The audit log as the settings describe it."""

from app.gallery.journal.audit_key import former_keys, load_audit_key
from app.gallery.journal.chain import AuditKey
from app.gallery.journal.journal import Journal, NoJournal, WritesNotes
from app.gallery.journal.signing_key import (
    PublicKey,
    SigningKey,
    former_public_keys,
    load_signing_key,
)
from app.settings import Settings


def journal_of(settings: Settings) -> WritesNotes:
    """What becomes of the notes of transactions. The key is read, or made, when it is needed."""
    return Journal(lambda: audit_key_of(settings)) if settings.audit.enabled else NoJournal()


def audit_key_of(settings: Settings) -> AuditKey:
    """Raises StartupError with the remedy."""
    key = settings.audit.key
    return load_audit_key(None if key is None else key.get_secret_value(), settings.data_dir)


def audit_keys_of(settings: Settings) -> list[AuditKey]:
    """The key and its predecessors. Raises StartupError with the remedy."""
    former = [key.get_secret_value() for key in settings.audit.former_keys]
    return [audit_key_of(settings), *former_keys(former)]


def signing_key_of(settings: Settings) -> SigningKey:
    """Raises StartupError with the remedy."""
    key = settings.audit.signing_key
    return load_signing_key(None if key is None else key.get_secret_value(), settings.data_dir)


def public_keys_of(settings: Settings) -> list[PublicKey]:
    """The public key and its predecessors. Raises StartupError with the remedy."""
    former = former_public_keys(settings.audit.former_public_keys)
    return [signing_key_of(settings).public, *former]
