"""Find the operation that a request is for, by its header `X-Amz-Target`."""

from app.compat.rekognition import operations
from app.compat.rekognition.faults import OperationNotOffered, UnknownOperation
from app.compat.rekognition.operation import OPERATIONS, Operation

TARGET_HEADER = "x-amz-target"
_PREFIX = "RekognitionService."
_MOST_SHOWN = 64

assert operations  # its files fill OPERATIONS


def find_operation(target: str) -> Operation | None:
    """Return the operation of a target; None where there is none."""
    return OPERATIONS.get(target.removeprefix(_PREFIX)) if target.startswith(_PREFIX) else None


def operation_of(target: str) -> Operation:
    """Return the operation of a target. Raises UnknownOperation and OperationNotOffered."""
    found = find_operation(target)
    if found is not None:
        return found
    if not target.startswith(_PREFIX):
        raise UnknownOperation(f"the header X-Amz-Target must begin with {_PREFIX}")
    name = target.removeprefix(_PREFIX)[:_MOST_SHOWN]
    raise OperationNotOffered(f"the operation {name} is not offered by this service")
