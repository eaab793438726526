"""Settings of earlier versions: renamed ones are still read, removed ones are named at the start.

An entry stays for one release, so that no setting is ignored silently, and none stops a start.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final

_ONNX = "register the file with vultus models add FILE --mean ... --std ..., and name it with"
_CONSTANT = "the value is fixed now; remove the setting"

RENAMED: Final[Mapping[str, str]] = {
    "VULTUS_WORKERS__COUNT": "VULTUS_THREADS",
    "VULTUS_WORKERS__MAX_WAITING": "VULTUS_LIMITS__MAX_WAITING",
}
"""The name of today by the former name. The value keeps its meaning."""

OPENTELEMETRY: Final[Mapping[str, str]] = {
    "VULTUS_TRACING__ENDPOINT": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "VULTUS_TRACING__SERVICE_NAME": "OTEL_SERVICE_NAME",
    "VULTUS_TRACING__SAMPLE_RATIO": "OTEL_TRACES_SAMPLER_ARG",
}
"""The variable of OpenTelemetry by the former name."""

_BESIDE = {"VULTUS_TRACING__SAMPLE_RATIO": {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}}
"""Variables that must be set beside the first one."""

REMOVED: Final[Mapping[str, str]] = {
    "VULTUS_WORKERS__BATCH_SIZE": _CONSTANT,
    "VULTUS_WORKERS__TORCH_THREADS": _CONSTANT,
    "VULTUS_WORKERS__IDLE_THREADS": _CONSTANT,
    "VULTUS_INDEX__EXACT_UP_TO": _CONSTANT,
    "VULTUS_INDEX__SNAPSHOT_ABOVE": _CONSTANT,
    "VULTUS_INDEX__SNAPSHOT_EVERY_S": _CONSTANT,
    "VULTUS_INDEX__POLL_MS": _CONSTANT,
    "VULTUS_INDEX__MAX_WAIT_S": _CONSTANT,
    "VULTUS_RETENTION__SWEEP_EVERY_S": _CONSTANT,
    "VULTUS_RETENTION__TERMINAL_PEOPLE": _CONSTANT,
    "VULTUS_RETENTION__LOG_REVISIONS": _CONSTANT,
    "VULTUS_RETENTION__UNKNOWN_FACES_A_GROUP": _CONSTANT,
    "VULTUS_DATABASE__RESERVE_BYTES": _CONSTANT,
    "VULTUS_INDEX__LISTED_ABOVE": _CONSTANT,
    "VULTUS_RETENTION__IDEMPOTENCY_KEYS_S": _CONSTANT,
    "VULTUS_LIMITS__DECODE_S": _CONSTANT,
    "VULTUS_LIMITS__MIN_BYTES_PER_S": _CONSTANT,
    "VULTUS_THRESHOLDS__MARGIN": "the margin follows from the embedder's calibration; the option "
    "decisions.margin of a collection fixes another one",
    "VULTUS_GUARDS__RESEMBLES": "the similarity follows from the embedder's calibration; remove "
    "the setting",
    **{
        f"VULTUS_{group}ONNX__{name}": f"{_ONNX} VULTUS_{group}EMBEDDER (see docs/networks.md)"
        for group in ("", "NEXT__")
        for name in ("SIZE_PX", "MEAN", "STD", "CHANNELS", "MIRROR_AVERAGE")
    },
}
"""The remedy by the name of a setting that no longer has an effect."""

_GROUPS = {
    "__".join(parts[:length])
    for parts in (name.split("__") for name in (*RENAMED, *OPENTELEMETRY, *REMOVED))
    for length in range(1, len(parts))
}
"""The groups that they were in, each of which may be given as one JSON object."""


def remedy_of(name: str) -> str | None:
    """The sentence that a start logs about a setting; None for one that is not of the past."""
    if name in RENAMED:
        return f"{name} has another name now: set {RENAMED[name]}"
    if name in OPENTELEMETRY:
        return f"{name} is a variable of OpenTelemetry now: set {_set_instead(name)}"
    if name in REMOVED:
        return f"{name} is no longer needed: {REMOVED[name]}"
    return None


def _set_instead(name: str) -> str:
    beside = (f"{key}={value}" for key, value in _BESIDE.get(name, {}).items())
    return " and ".join([OPENTELEMETRY[name], *beside])


def former_names(variables: Mapping[str, str | None]) -> Iterator[str]:
    """The former settings among `variables`, in order, also those inside a JSON object."""
    for name in dict.fromkeys(full for full, _ in _unfolded(variables)):
        if remedy_of(name) is not None:
            yield name


def current(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The variables of this version: renamed under their names, without those that are removed.

    Names are compared in any case; those of the result are in lower case, as pydantic has them.
    A name of today wins over the former one.
    """
    result: dict[str, str | None] = {}
    renamed: dict[str, str | None] = {}
    for name, value in _unfolded(variables):
        if name in RENAMED:
            renamed[RENAMED[name].lower()] = value
        elif remedy_of(name) is None:
            result[name.lower()] = value
    return {**renamed, **result}


def opentelemetry(variables: Mapping[str, str | None]) -> dict[str, str]:
    """The variables of OpenTelemetry among these, and those that its three former names mean."""
    found: dict[str, str] = {}
    for name, value in _unfolded(variables):
        if value and name in OPENTELEMETRY:
            found[OPENTELEMETRY[name]] = value
            found |= _BESIDE.get(name, {})
    own = {name: value for name, value in variables.items() if value and name.startswith("OTEL_")}
    return found | own


def _unfolded(variables: Mapping[str, str | None]) -> Iterator[tuple[str, str | None]]:
    """Names in upper case; what is of the past is taken out of a group given as one object."""
    for given, value in variables.items():
        name = given.upper()
        if name not in _GROUPS or value is None:
            yield name, value
            continue
        try:
            group = json.loads(value)
        except ValueError:
            group = None
        if not isinstance(group, dict):
            yield name, value  # which pydantic refuses with the reason
            continue
        rest = dict(group)
        for key in group:
            inside = f"{name}__{str(key).upper()}"
            if remedy_of(inside) is not None or inside in _GROUPS:
                text = rest.pop(key)
                yield from _unfolded({inside: text if isinstance(text, str) else json.dumps(text)})
        if rest or not group:
            yield name, json.dumps(rest)
