"""Consents: on what basis a person is kept, for which purpose, and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol


class ConsentBasis(StrEnum):
    """The legal basis, in the words of the GDPR (articles 6 (1) and 9 (2)), and of BIPA."""

    EXPLICIT_CONSENT = "explicit_consent"
    """GDPR 9 (2) (a): what biometric data of a person usually needs."""
    CONSENT = "consent"
    """GDPR 6 (1) (a)."""
    WRITTEN_RELEASE = "written_release"
    """BIPA, section 15 (b) (3)."""
    CONTRACT = "contract"
    """GDPR 6 (1) (b)."""
    LEGAL_OBLIGATION = "legal_obligation"
    """GDPR 6 (1) (c)."""
    VITAL_INTERESTS = "vital_interests"
    """GDPR 6 (1) (d) and 9 (2) (c)."""
    PUBLIC_TASK = "public_task"
    """GDPR 6 (1) (e)."""
    LEGITIMATE_INTERESTS = "legitimate_interests"
    """GDPR 6 (1) (f)."""
    EMPLOYMENT_LAW = "employment_law"
    """GDPR 9 (2) (b)."""
    LEGAL_CLAIMS = "legal_claims"
    """GDPR 9 (2) (f)."""
    SUBSTANTIAL_PUBLIC_INTEREST = "substantial_public_interest"
    """GDPR 9 (2) (g)."""


class ConsentState(StrEnum):
    VALID = "valid"
    ENDED = "ended"
    """`until` has passed."""
    WITHDRAWN = "withdrawn"


class ConsentFilter(StrEnum):
    """Whom to list: people with a consent that is valid now, or those without."""

    VALID = "valid"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A consent to record. `given_at` None: now. `until` None: until it is withdrawn.

    `text_version` names the text that the person saw, `source` says where the evidence is.
    """

    purpose: str
    basis: ConsentBasis = ConsentBasis.EXPLICIT_CONSENT
    text_version: str | None = None
    source: str | None = None
    given_at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as it was recorded. `recorded_by` and `withdrawn_by` name callers, by key."""

    id: str
    purpose: str
    basis: ConsentBasis
    text_version: str | None
    source: str | None
    given_at: datetime
    until: datetime | None
    withdrawn_at: datetime | None
    recorded_at: datetime
    recorded_by: str
    withdrawn_by: str | None

    @property
    def state(self) -> ConsentState:
        """As of now."""
        return self.state_at(datetime.now(UTC))

    def state_at(self, now: datetime) -> ConsentState:
        if self.withdrawn_at is not None:
            return ConsentState.WITHDRAWN
        if self.until is not None and self.until <= now:
            return ConsentState.ENDED
        return ConsentState.VALID


class Ending(Protocol):
    """What has the moments at which a consent may end."""

    @property
    def until(self) -> datetime | None: ...

    @property
    def withdrawn_at(self) -> datetime | None: ...


def end_of_last(consents: Iterable[Ending]) -> datetime | None:
    """Return when the last of these consents ends, or has ended; None without an end.

    A person without any consent has no end either: nothing was promised.
    """
    ends = [_end(consent) for consent in consents]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _end(consent: Ending) -> datetime | None:
    moments = [at for at in (consent.until, consent.withdrawn_at) if at is not None]
    return min(moments, default=None)
