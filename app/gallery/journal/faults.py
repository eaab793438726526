"""What a check of the audit log finds."""

from dataclasses import dataclass
from enum import StrEnum

MOST_FAULTS = 1_000
"""Faults that are listed; a table that was exchanged has as many as it has lines."""


class FaultKind(StrEnum):
    MISSING = "missing"
    """Lines that were there are not there any more."""
    ALTERED = "altered"
    """A line is not as it was written, or its predecessor is not the one that it had."""
    OTHER_KEY = "other_key"
    """A line was chained by a key that is not given, so that it cannot be checked."""
    NO_HEAD = "no_head"
    """A chain has lines, and no head, or one that was never its head."""
    BAD_SIGNATURE = "bad_signature"
    """A line has a signature that its key did not make."""
    OTHER_SIGNER = "other_signer"
    """A line was signed by a key that is not given, so that it cannot be checked."""
    SIGNED_OTHERWISE = "signed_otherwise"
    """Lines are not as they were signed."""
    NEVER_SIGNED = "never_signed"
    """Lines between two signatures that neither of them covers."""


_TEXTS = {
    FaultKind.MISSING: "missing: {span}",
    FaultKind.ALTERED: "altered: {span}",
    FaultKind.OTHER_KEY: "chained by a key that is not given: {span}",
    FaultKind.NO_HEAD: "the end of chain {chain} is not one that it had",
    FaultKind.BAD_SIGNATURE: "not signed by the key that it names: {span}",
    FaultKind.OTHER_SIGNER: "signed by a key that is not given: {span}",
    FaultKind.SIGNED_OTHERWISE: "not as signed: {span}",
    FaultKind.NEVER_SIGNED: "never signed, although later lines are: {span}",
}


def span_text(chain: int, first: int, last: int) -> str:
    """Return the ids of lines, as `3-5 to 3-9`."""
    return f"{chain}-{first}" if last == first else f"{chain}-{first} to {chain}-{last}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault at the lines `first` to `last` of a chain."""

    kind: FaultKind
    chain: int
    first: int
    last: int

    def __str__(self) -> str:
        span = span_text(self.chain, self.first, self.last)
        return _TEXTS[self.kind].format(span=span, chain=self.chain)


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A line that is `back_s` seconds earlier than the one before it.

    The clock of the machine was set back, or another machine's was wrong. Its place in the chain
    says when it was written; so this is no fault.
    """

    chain: int
    sequence: int
    back_s: float

    def __str__(self) -> str:
        return f"the clock went back by {self.back_s:,.0f} s at {self.chain}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class LastSignature:
    """The last signature of a chain: of its lines up to `sequence`, made at the moment `at`.

    A log that was cut back to an earlier signature is whole; its last signatures are old.
    """

    chain: int
    sequence: int
    at: str

    def __str__(self) -> str:
        return f"chain {self.chain}: signed up to {self.chain}-{self.sequence} at {self.at}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many lines were checked, in how many chains, and what is wrong with them.

    `unsigned` lines are newer than the signature of their chain. `signed` has the chains that have
    a signature, in order.
    """

    lines: int
    chains: int
    faults: tuple[Fault, ...]
    unsigned: int = 0
    clock_steps: tuple[ClockStep, ...] = ()
    signed: tuple[LastSignature, ...] = ()
