"""Write docs/settings.md and docs/errors.md from the code: `make reference`.

A test compares them with what this would write.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app import errors
from app.api.problems import status_of
from app.api.remedies import HTTP
from app.cli.remedies import TERMINAL
from app.errors import Reason, VultusError
from app.former_settings import OPENTELEMETRY, REMOVED, RENAMED
from app.remedies import Remedy
from app.settings import Settings

DOCS: Final = Path(__file__).parent.parent / "docs"

_GENERATED = "<!-- Written by `make reference`; change the code instead. -->\n"

_SETTINGS_HEAD = f"""# Settings

{_GENERATED}
Environment variables, or lines of a `.env` file in the working folder. A variable of the
environment wins over the file. Lists are separated by commas. An unknown name is reported at the
start, with the setting that it resembles; a value that cannot be used ends the start with one line
that names it.

More about some of them: [proxies, limits](operations.md), [photos and the detector](photos.md),
[threads, backends](performance.md), [embedders](upgrading.md), [rollout and crops](rollout.md),
[catalogue](networks.md), [liveness](liveness.md), [thresholds](thresholds.md), [Milvus](milvus.md).
"""

_TRACING_HEAD = """
## Tracing

OpenTelemetry's own variables configure spans; the extra `otel` of the package brings its SDK. They
are read from the environment, or from `.env`. Spans are sent by OTLP over HTTP. Other variables of
the SDK (headers, timeouts, resource attributes) work as OpenTelemetry documents them.

| variable | default | meaning |
|---|---|---|
"""

_TRACING = (
    (
        "`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`",
        "",
        "Where spans are sent, `http://host:4318/v1/traces`; without it nothing is traced.",
    ),
    ("`OTEL_EXPORTER_OTLP_ENDPOINT`", "", "The same without the path, for every signal."),
    ("`OTEL_SERVICE_NAME`", "vultus", "Name of the service in spans."),
    (
        "`OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`",
        "parentbased_always_on",
        "Which requests are traced, where the caller has not decided; the second is the share.",
    ),
    ("`OTEL_SDK_DISABLED`", "false", "true: nothing is traced."),
)

_FORMER_HEAD = """
## Settings of version 0.1.0

A former name stops no start: it is reported (`former_setting` in the log), with what stands in its
place. The first five are still read, for one release.

| former | now |
|---|---|
"""

_IN_TEXT: Final = "in the text"
_NEVER: Final = "-"

_ERRORS_HEAD = f"""# Errors

{_GENERATED}
Over HTTP, an error is `application/problem+json` (RFC 9457) with a stable `code`, and a `detail`
that states the fact and the remedy. 429 and 503 carry `Retry-After`; after 400, 408 and 431 the
connection is closed. On the command line an error is one line, `code: fact; remedy`, and exit
status 1. Texts in braces are filled in. A row without a code has that of the row above. Where a
remedy is "{_IN_TEXT}", the fact says what is expected; "{_NEVER}" stands where the error does not
occur. [reliability.md](reliability.md) describes failures of the database.

| code | status | meaning | remedy over HTTP | remedy on the command line |
|---|---|---|---|---|
"""

_REASONS_HEAD = """
## Reasons why an image is rejected

In `rejected`, and as the `code` where one reason holds for all images (422; of the guards at
enrolment, 409).

| reason | remedy over HTTP | remedy on the command line |
|---|---|---|
"""

_HTTP_ALONE = (
    ("method_not_allowed", 405, "the path answers other methods, which `Allow` lists"),
    ("not_found", 404, "there is no such path"),
    ("internal_error", 500, "a defect of the service; its log has more under the request id"),
)


def settings_page() -> str:
    """The whole text of docs/settings.md."""
    parts = [_SETTINGS_HEAD]
    own = {k: v for k, v in Settings.model_fields.items() if _group(v) is None}
    parts.append("\n## General\n\n" + _table(own, "VULTUS_"))
    for name, field in Settings.model_fields.items():
        group = _group(field)
        if group is not None:
            heading = (inspect.getdoc(group) or name).rstrip(".")
            parts.append(
                f"\n## {heading}\n\n" + _table(group.model_fields, f"VULTUS_{name.upper()}__")
            )
    parts += [_TRACING_HEAD, *(_row(*cells) for cells in _TRACING), _FORMER_HEAD]
    now = {**RENAMED, **OPENTELEMETRY}
    parts += [_row(f"`{former}`", f"`{name}`") for former, name in now.items()]
    for remedy, names in groupby(REMOVED, key=REMOVED.__getitem__):
        parts.append(_row(", ".join(f"`{name}`" for name in names), remedy))
    return "".join(parts)


def errors_page() -> str:
    """The whole text of docs/errors.md: a row for each class that has a meaning in the tree."""
    rows = [
        _row(f"`{code}`", str(status), text, _IN_TEXT, _NEVER) for code, status, text in _HTTP_ALONE
    ]
    meanings = _meanings()
    above = ""
    for kind in _tree(VultusError):
        # Errors that one package defines for itself are answered as their base class.
        if kind.__module__ != VultusError.__module__:
            continue
        if kind.__name__ not in meanings:
            raise LookupError(f"draw {kind.__name__} in the tree at the top of app/errors.py")
        if not meanings[kind.__name__]:
            continue  # it only groups others
        over_http, on_terminal = (_text(table.find(kind)) for table in (HTTP, TERMINAL))
        status = _NEVER if over_http == _NEVER else str(status_of(kind))
        code = "" if kind.code == above else f"`{kind.code}`"
        above = kind.code
        rows.append(_row(code, status, meanings[kind.__name__], over_http, on_terminal))
    reasons = [
        _row(f"`{reason}`", *(_text(table.table[reason]) for table in (HTTP, TERMINAL)))
        for reason in Reason
    ]
    return "".join([_ERRORS_HEAD, *rows, _REASONS_HEAD, *reasons])


def main() -> None:
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
    (DOCS / "errors.md").write_text(errors_page(), encoding="utf-8")


def _group(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _table(fields: Mapping[str, FieldInfo], prefix: str) -> str:
    rows = [
        _row(f"`{prefix}{name.upper()}`", _default(field), _bounds(field), field.description or "")
        for name, field in fields.items()
    ]
    return "| variable | default | values | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(_plain(value))


def _bounds(field: FieldInfo) -> str:
    """The values that are accepted, as far as the type and its bounds say."""
    kinds = _alternatives(field.annotation)
    chosen = [
        str(value) for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)
    ]
    if chosen:
        return ", ".join(chosen)
    if bool in kinds:
        return "true, false"
    bounds = {
        sign: getattr(entry, name)
        for entry in field.metadata
        for name, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if hasattr(entry, name)
    }
    return ", ".join(f"{sign} {_plain(bound):,}" for sign, bound in bounds.items())


def _plain(value: Any) -> Any:  # noqa: ANN401  (any default)
    """A whole number without its decimals."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _alternatives(kind: Any) -> tuple[Any, ...]:  # noqa: ANN401  (any annotation)
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _tree(kind: type[VultusError]) -> Iterator[type[VultusError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _text(remedy: Remedy) -> str:
    """A remedy as the table states it; of a function, what its docstring says."""
    if remedy is None:
        return _IN_TEXT
    if callable(remedy):
        said = (inspect.getdoc(remedy) or "").split("\n", maxsplit=1)[0].removesuffix(".")
        return said[:1].lower() + said[1:]
    return remedy.replace("|", "\\|") or _NEVER


def _meanings() -> dict[str, str]:
    """The line of each class in the drawn tree of `app.errors`."""
    lines = re.findall(r"^[│├└─ ]*(\w+)(?: {2,}(.*))?$", errors.__doc__ or "", flags=re.MULTILINE)
    return dict(lines)


if __name__ == "__main__":
    main()
