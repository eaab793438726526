"""Answers as the documentation shows them; a test holds them against their schemas."""

from typing import Any, Final

FACE_ID: Final = "6f9b4c0a2e7d4f35a1d0c2b7e8f94a13"
_IDENTITY_ID: Final = "0d3c8a51b64e4b7f9a2f5e6c7d8091ab"
GROUP_ID: Final = "b5c7d9e1f3a2446c8b0d1e2f3a4b5c6d"
_MODEL: Final = {
    "name": "sface",
    "digest": "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
}
_IMAGE: Final = {
    "width": 512,
    "height": 512,
    "rows_decoded": None,
    "frames": 1,
    "frame_used": 0,
    "shade": None,
    "smallest_face_px": 40,
}
_BOX: Final = [180.3, 60.7, 268.4, 172.2]
_LANDMARKS: Final = {
    "left_eye": [205.4, 104.9],
    "right_eye": [246.1, 101.5],
    "nose": [229.6, 124.4],
    "mouth_left": [212.0, 145.7],
    "mouth_right": [247.3, 142.9],
}
_POSE: Final = {"roll": -4.8, "yaw": 3.9, "pitch": 2.4}
_LIVENESS: Final = {"score": 0.9713, "threshold": 0.62, "live": True}
_IDENTITY: Final[dict[str, Any]] = {
    "id": _IDENTITY_ID,
    "external_id": "emp-1042",
    "name": "Eileen Collins",
    "attributes": {"department": "flight"},
    "face_count": 1,
    "created_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:00:00Z",
    "expires_at": None,
    "threshold": None,
    "anonymous": False,
    "consent_until": None,
    "revision": 17,
}

_UNREADABLE: Final = {
    "type": "urn:vultus:problem:image_unreadable",
    "title": "Invalid request",
    "status": 422,
    "detail": "the image is empty; send the file's bytes",
    "code": "image_unreadable",
    "request_id": "4b1d7b9d0a8e4c36a1f2c3d4e5f60718",
}

ENROLLMENT: Final[dict[str, Any]] = {
    "identity": _IDENTITY,
    "faces": [
        {
            "id": FACE_ID,
            "image_index": 0,
            "box": _BOX,
            "detection_score": 0.9999,
            "quality": 83.4,
            "already_enrolled": False,
            "forced": False,
        }
    ],
    "rejected": [
        {
            "image_index": 1,
            "embedding_index": None,
            "reasons": ["no_face"],
            "detail": "no face was found",
            "faces": [],
            "resemblance": None,
        }
    ],
    "passed_over": [
        {
            "image_index": 0,
            "box": [12.1, 80.4, 61.0, 143.8],
            "detection_score": 0.9312,
            "reasons": ["low_sharpness"],
        }
    ],
}
MERGE: Final[dict[str, Any]] = {
    "identity": {**_IDENTITY, "face_count": 3, "revision": 18},
    "merged": [{"identity_id": GROUP_ID, "name": "E. Collins", "external_id": "emp-2042"}],
    "moved_face_ids": [FACE_ID],
    "collapsed": [],
    "merged_at": "2026-02-01T12:00:00Z",
}
MOVE: Final[dict[str, Any]] = {
    "face": {
        "id": FACE_ID,
        "identity_id": _IDENTITY_ID,
        "box": _BOX,
        "detection_score": 0.9999,
        "quality": 83.4,
        "image_sha256": None,
        "image_id": None,
        "image_width": 512,
        "image_height": 512,
        "image_label": None,
        "forced": False,
        "has_crop": False,
        "created_at": "2026-01-31T12:00:00Z",
    },
    "identity": {**_IDENTITY, "face_count": 2, "revision": 18},
    "previous": {**_IDENTITY, "id": GROUP_ID, "external_id": "emp-2042", "face_count": 0},
    "collapsed": [],
}
ASSIGNMENT: Final[dict[str, Any]] = {
    "identity": {**_IDENTITY, "face_count": 2, "revision": 18},
    "faces": [
        {
            "face_id": FACE_ID,
            "outcome": "assigned",
            "identity_id": _IDENTITY_ID,
            "similarity": 0.713,
            "threshold": 0.365,
        }
    ],
}
FACES_DELETION: Final[dict[str, Any]] = {
    "deleted": [
        {
            "face_id": FACE_ID,
            "identity": {"id": _IDENTITY_ID, "name": "Eileen Collins", "external_id": "emp-1042"},
        }
    ],
    "kept": [{"face_id": GROUP_ID, "code": "face_not_found", "identity": None}],
    "receipt": {
        "receipt_id": "f3a1c2d4e5f60718293a4b5c6d7e8f90",
        "collection": "staff",
        "identity_ids": [],
        "face_ids": [FACE_ID],
        "identity_count": 0,
        "face_count": 1,
        "revision": 18,
        "erased_at": "2026-02-01T12:00:00Z",
        "compacted": True,
        "remains": [],
        "keys_destroyed": 0,
        "unknown_face_count": 0,
        "crop_count": 0,
    },
}
FACES_FOUND: Final[dict[str, Any]] = {
    "matches": [
        {
            "face": {
                "id": GROUP_ID,
                "identity_id": _IDENTITY_ID,
                "box": _BOX,
                "detection_score": 0.9998,
                "quality": 84.2,
                "image_sha256": "9f" * 32,
                "forced": False,
                "has_crop": False,
                "created_at": "2026-01-31T08:15:00Z",
                "identity": {
                    "id": _IDENTITY_ID,
                    "name": "Eileen Collins",
                    "external_id": "emp-1042",
                },
            },
            "similarity": 0.7312,
            "fpir": {"value": 2.1e-9, "low": 1e-11, "high": 3.3e-7, "extrapolated": True},
        }
    ],
    "threshold": 0.3701,
    "searched": {"people": 12, "faces": 31},
    "probe": None,
    "image": None,
    "rejected": None,
    "rate_reason": None,
    "shown_from": None,
    "model": _MODEL,
}
CHECKUP: Final[dict[str, Any]] = {
    "findings": [
        {
            "kind": "mislabel",
            "identity": {
                "identity_id": _IDENTITY_ID,
                "name": "Eileen Collins",
                "external_id": "emp-1042",
            },
            "other": {
                "identity_id": "b7e8f94a136f4b8e9a2f5e6c7d8091ab",
                "name": "Grace Hopper",
                "external_id": "emp-1043",
            },
            "face_id": FACE_ID,
            "other_face_id": "91ab0d3c8a51b64e4b7f9a2f5e6c7d80",
            "similarity": 0.7312,
            "own_similarity": 0.1094,
            "threshold": 0.4527,
            "shown_from": None,
            "advice": "probably a photo of the other person: look at both, and move this face to "
            "them",
            "dismissal": {
                "method": "POST",
                "path": "/v1/collections/staff/doctor:dismiss",
                "body": {"face_ids": [FACE_ID]},
            },
            "action": {
                "method": "POST",
                "path": f"/v1/collections/staff/faces/{FACE_ID}:move",
                "body": {"identity_id": "b7e8f94a136f4b8e9a2f5e6c7d8091ab"},
            },
        }
    ],
    "identities_examined": 1000,
    "faces_examined": 2731,
    "revision": 17,
    "next_cursor": None,
}
IDENTIFICATION: Final[dict[str, Any]] = {
    "faces": [
        {
            "box": _BOX,
            "detection_score": 0.9999,
            "landmarks": _LANDMARKS,
            "pose": _POSE,
            "direction": 0,
            "status": "match",
            "identity": _IDENTITY,
            "similarity": 0.7312,
            "threshold": 0.4265,
            "fpir": {"value": 1.3e-8, "low": 1e-10, "high": 1.4e-6, "extrapolated": True},
            "rate_reason": None,
            "searched": {"people": 100, "faces": 104},
            "candidates": [
                {
                    "identity_id": _IDENTITY_ID,
                    "external_id": "emp-1042",
                    "name": "Eileen Collins",
                    "similarity": 0.7312,
                    "face_id": FACE_ID,
                    "examples": 1,
                }
            ],
            "matched_stage": 0,
            "liveness": _LIVENESS,
            "quality": 83.4,
            "reasons": [],
            "detail": None,
            "unknown_group_id": None,
            "shown_from": None,
        }
    ],
    "faces_found": 1,
    "faces_used": 1,
    "image": _IMAGE,
    "model": _MODEL,
}
IDENTIFICATIONS: Final[dict[str, Any]] = {
    "results": [
        {"index": 0, "result": IDENTIFICATION, "error": None},
        {"index": 1, "result": None, "error": _UNREADABLE},
    ]
}
EMBEDDINGS: Final[dict[str, Any]] = {
    "results": [
        {
            "index": 0,
            "result": {
                "faces": [
                    {
                        "box": _BOX,
                        "detection_score": 0.9999,
                        "landmarks": _LANDMARKS,
                        "pose": _POSE,
                        "direction": 0,
                        "quality": 83.4,
                        "embedding": [-0.0831, 0.0412, 0.1207],
                    }
                ],
                "faces_found": 1,
                "faces_used": 1,
                "image": _IMAGE,
                "model": _MODEL,
            },
            "error": None,
        },
        {"index": 1, "result": None, "error": _UNREADABLE},
    ]
}
FACES_ENROLMENT: Final[dict[str, Any]] = {
    "faces": [
        {
            "face_id": FACE_ID,
            "identity_id": _IDENTITY_ID,
            "anonymous": True,
            "box": _BOX,
            "detection_score": 0.9999,
            "landmarks": _LANDMARKS,
            "pose": _POSE,
            "direction": 0,
            "quality": 83.4,
            "already_enrolled": False,
        }
    ],
    "left_out": [],
    "faces_found": 1,
    "faces_used": 1,
    "image": _IMAGE,
    "image_id": "9b2f6d0e-5d1c-5f0a-8a53-6f0d1c2b3a49",
    "model": _MODEL,
}
_SCORES: Final = {
    "face_size": (40.8, 100.0),
    "sharpness": (0.687, 86.0),
    "noise": (0.031, 100.0),
    "compression": (0.27, 100.0),
    "underexposure": (0.52, 100.0),
    "overexposure": (0.0, 100.0),
    "contrast": (0.18, 100.0),
    "yaw": (0.11, 100.0),
    "pitch": (0.186, 83.5),
    "roll": (4.8, 100.0),
    "cropping": (0.0, 100.0),
    "occlusion": (0.21, 100.0),
    "detection": (0.9999, 99.8),
    "distinctiveness": (1.71, 100.0),
}
QUALITY: Final[dict[str, Any]] = {
    "faces": [
        {
            "box": _BOX,
            "detection_score": 0.9999,
            "landmarks": _LANDMARKS,
            "pose": _POSE,
            "unified": 83.5,
            "components": {
                name: {"raw": raw, "score": score} for name, (raw, score) in _SCORES.items()
            },
            "brightness": 100.0,
            "sharpness": 86.0,
            "rejected": {"floor": [], "low": [], "auto": [], "medium": [], "high": []},
        }
    ],
    "faces_found": 1,
    "faces_used": 1,
    "image": _IMAGE,
}
VERIFICATION: Final[dict[str, Any]] = {
    "status": "match",
    "match": True,
    "similarity": 0.7312,
    "threshold": 0.3701,
    "fmr": {"value": 1.3e-10, "low": 1e-12, "high": 1.4e-8, "extrapolated": True},
    "rate_reason": None,
    "rejected": [],
    "comparisons": [
        {
            "face_indices": [0, 0],
            "boxes": [_BOX, [22.0, 31.5, 101.2, 140.9]],
            "similarity": 0.7312,
            "threshold": 0.3701,
        }
    ],
    "passed_over": [],
    "faces": [
        {
            "box": _BOX,
            "detection_score": 0.9999,
            "landmarks": _LANDMARKS,
            "pose": _POSE,
            "direction": 0,
            "liveness": _LIVENESS,
        },
        {
            "box": [163.7, 105.8, 347.6, 344.0],
            "detection_score": 0.9998,
            "landmarks": {
                "left_eye": [219.5, 196.2],
                "right_eye": [301.8, 195.0],
                "nose": [257.7, 252.3],
                "mouth_left": [226.0, 288.4],
                "mouth_right": [296.1, 287.1],
            },
            "pose": {"roll": -0.8, "yaw": -3.8, "pitch": -6.7},
            "direction": 0,
            "liveness": {"score": 0.1274, "threshold": 0.62, "live": False},
        },
    ],
    "identity": None,
    "face_id": None,
    "examples": None,
    "enrolled_a": None,
    "enrolled_b": None,
    "shown_from": None,
    "model": _MODEL,
}

AUDIT_PAGE: dict[str, Any] = {
    "lines": [
        {
            "id": "1-42",
            "chain": 1,
            "sequence": 42,
            "at": "2026-01-31T08:15:00.123456Z",
            "principal": "key 1",
            "action": "identity.erased",
            "collection": "staff",
            "identity_id": "0f6e27a1d4b94c31a2f0c7a1b5d6e8f9",
            "receipt_id": "5f0b7c1e2d3a4b5c8d9e0f1a2b3c4d5e",
            "request_id": "c2b1a0f9e8d7c6b5a4f3e2d1c0b9a8f7",
            "address": "10.0.0.7",
            "outcome": "done",
            "details": {
                "face_ids": ["9c8b7a6f5e4d3c2b1a0f9e8d7c6b5a4f"],
                "people": 1,
                "unknown_faces": 0,
                "why": "asked",
            },
            "key_id": "4c1f0e9d8b7a6c5f",
            "mac": "8f" * 32,
        }
    ],
    "next_cursor": None,
}

PERSON_DOCUMENT: dict[str, Any] = {
    "format": "vultus-person",
    "format_version": 1,
    "vultus_version": "0.2.0",
    "made_at": "2026-01-31T12:00:00Z",
    "made_by": "0d3c9f4e6f0b",
    "asked": {"collection": "staff", "identity_id": _IDENTITY_ID, "image_sha256": None},
    "collections": [
        {
            "name": "staff",
            "people": {
                "threshold": 0.37,
                "fmr": {"value": 1e-4, "low": 9e-5, "high": 1.1e-4, "extrapolated": False},
            },
            "unknowns": None,
            "not_searched": None,
        }
    ],
    "people": [
        {
            "collection": "staff",
            "certain": True,
            "basis": "identity_id",
            "similarity": None,
            "limit": None,
            "identity": {**_IDENTITY, "hold": None},
            "consents": [],
            "matches": [{"terminal_id": "door-1", "matched_at": "2026-01-31T08:15:00Z"}],
            "faces": [],
            "audit": None,
        }
    ],
    "unknown_groups": [],
    "complete": True,
}
