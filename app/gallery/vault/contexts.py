"""What sealed rows are bound to: they open in the row that they were sealed for alone.

The owner of a row is not among it: each owner has a key of their own.
"""


def of_embedding(collection_number: int, face_id: str, digest: str) -> bytes:
    """Of a face of a person, by the embedder `digest`, in whichever of its two tables."""
    return f"embedding:{collection_number}:{face_id}:{digest}".encode()


def of_unknown(collection_number: int, face_id: str, digest: str) -> bytes:
    """Of an unknown face."""
    return f"unknown:{collection_number}:{face_id}:{digest}".encode()


def of_centroid(collection_number: int, group_id: str) -> bytes:
    """Of a group of unknown faces."""
    return f"centroid:{collection_number}:{group_id}".encode()


def of_crop(collection_number: int, face_id: str) -> bytes:
    """Of a crop, of an enrolled face or of an unknown one: it keeps its id when it is named."""
    return f"crop:{collection_number}:{face_id}".encode()


def of_owner_key(kind: str, collection_number: int, owner: int) -> bytes:
    """Of the key of a person, or of a group of unknown faces, `kind` being the table's name."""
    return f"{kind}:{collection_number}:{owner}".encode()
