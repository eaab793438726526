"""The encryption of all collections of a database, as commands use it."""

from app.gallery.vault.encrypting import Encrypting
from app.gallery.vault.encryption_check import EncryptionCheck
from app.gallery.vault.key_rotation import KeyRotation


class Encryption(EncryptionCheck, Encrypting, KeyRotation):
    """What is encrypted, how it becomes so, and how its keys are changed. All methods block."""
