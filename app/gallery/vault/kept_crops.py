"""Crops as the database keeps them: in which form, and under which key."""

from dataclasses import dataclass
from enum import IntEnum

from app.gallery.vault.sealing import KeySealer, SealedOtherwiseError


class ClearCrop(bytes):
    """A crop that is not sealed yet: the database seals it under the key of its owner."""


class Form(IntEnum):
    BY_CROPS_KEY = 0
    """By `CropVault` alone."""
    CLEAR_UNDER_OWNER = 1
    """The crop itself, under the key of its owner."""
    SEALED_UNDER_OWNER = 2
    """What `CropVault` has sealed, under the key of its owner."""

    @classmethod
    def of(cls, number: int) -> "Form":
        """Raises SealedOtherwiseError for a number that no version has written."""
        try:
            return cls(number)
        except ValueError as error:
            raise SealedOtherwiseError("the crop has no form that this version knows") from error


@dataclass(frozen=True, slots=True)
class StoredCrop:
    sealed: bytes
    form: Form = Form.BY_CROPS_KEY

    @classmethod
    def under(cls, sealer: KeySealer, crop: bytes, context: bytes) -> "StoredCrop":
        """Seal a crop, which `CropVault` may have sealed before, under the key of its owner."""
        is_clear = isinstance(crop, ClearCrop)
        form = Form.CLEAR_UNDER_OWNER if is_clear else Form.SEALED_UNDER_OWNER
        return cls(sealer.seal(crop, context), form)

    def opened(self, sealer: KeySealer, context: bytes) -> bytes:
        """Return what was sealed under the key of the owner. Raises SealedOtherwiseError."""
        crop = sealer.open(self.sealed, context)
        return ClearCrop(crop) if self.form is Form.CLEAR_UNDER_OWNER else crop
