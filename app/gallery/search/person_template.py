"""One vector for all examples of a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.errors import IdentityWithoutFace
from app.gallery.rollout.embedder_pair import Embedders, EnrolledProbe
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding, cosine

_NO_DIRECTION = 1e-3  # a mean so short is of faces that have nothing in common


@dataclass(frozen=True, slots=True)
class TemplateProbe:
    """The template of the enrolled person `identity_id`, of this number of `examples`."""

    identity_id: str
    probe: EnrolledProbe
    examples: int


def similarity_to_template(probe: Embedding, examples: Sequence[Embedding]) -> float:
    """Cosine of a probe and the normalised mean of examples, one at least.

    The mean keeps what photos of a person share and averages out what they do not; among rules from
    one example to several it missed fewest people at the same rate of false identifications
    (`benchmarks/accuracy/templates.py`). Where the examples cancel out, the best of them counts.
    """
    if len(examples) == 1:
        return cosine(float(examples[0] @ probe))
    stacked = np.stack(examples)
    mean = stacked.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if length < _NO_DIRECTION:
        return cosine(float((stacked @ probe).max()))
    return cosine(float(mean @ probe) / length)


def similarity_of_templates(a: Sequence[Embedding], b: Sequence[Embedding]) -> float:
    """Cosine of the templates of two people, with one example each at least."""
    if len(a) == 1:
        return similarity_to_template(a[0], b)
    template = template_of(a)
    # Where the examples cancel out, the best of them counts.
    probes = a if template is None else [template]
    return max(similarity_to_template(probe, b) for probe in probes)


def template_of(examples: Sequence[Embedding]) -> Embedding | None:
    """Return the normalised mean of examples, (dimension,); None where they cancel out."""
    mean = np.stack(examples).mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    return None if length < _NO_DIRECTION else np.asarray(mean / length, dtype=np.float32)


def probe_of_person(
    transaction: Transaction, embedders: Embedders, identity_id: str
) -> TemplateProbe:
    """Read the template of a person, by all embedders that have seen their faces.

    Raises IdentityNotFound, also for one who has expired, IdentityWithoutFace, EmbedderMismatch.
    """
    embedders.require(transaction.collection)
    row = transaction.identities.get_living(identity_id)
    found: dict[str, Embedding] = {}
    count = 0
    for by in (transaction, transaction.by_other_embedder()):
        examples = {} if by is None else by.faces.examples_of([row.number]).get(row.number, {})
        if by is not None and examples:
            own = list(examples.values())
            template = template_of(own)
            found[by.collection.digest] = own[0] if template is None else template
            count = max(count, len(own))
    if transaction.collection.digest not in found:
        raise without_face(transaction, identity_id)
    return TemplateProbe(row.id, EnrolledProbe(found), count)


def without_face(
    transaction: Transaction, identity_id: str, what: str = "enrolled face"
) -> IdentityWithoutFace:
    """Make the error of a person who has no face to compare with."""
    return IdentityWithoutFace(
        f"identity {identity_id} has no {what} to compare with",
        collection=transaction.collection.name,
        identity_id=identity_id,
    )
