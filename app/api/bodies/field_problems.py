"""Messages about wrong fields of a request, for its sender.

pydantic's own messages are for the author of a schema. These name the wrong field, the fault and
what is expected. They never repeat what was sent, which may be a photo.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from app.api.echo import listed, shortened
from app.errors import FieldProblem, InvalidRequest
from app.gallery.value_types import COLLECTION_NAME

MOST_PROBLEMS = 20
"""Problems that one answer names; the others are counted."""

_SPELT_OUT = 3
_MOST_LOCATION = 200

_PATTERNS = {
    COLLECTION_NAME: "must be 1 to 255 letters, digits, '.', '_' or '-', and neither '.' nor '..'",
    r"^[A-Za-z0-9._-]{1,64}$": "must be 1 to 64 letters, digits, '.', '_' or '-'",
    r"^[\x21-\x7e]{1,255}$": "must be 1 to 255 visible ASCII characters, without spaces",
}

_A_NUMBER = "must be a number"
_A_WHOLE_NUMBER = "must be a whole number"
_TRUE_OR_FALSE = "must be true or false"
_A_TIME = "must be a date and time with its offset, as 2031-05-01T00:00:00Z"
_AN_OBJECT = "must be an object"
_A_LIST = "must be a list"

_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; check its spelling",
    "string_type": "must be a text",
    "string_unicode": "must be valid Unicode",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "bytes_type": "must be a text",
    "int_type": _A_WHOLE_NUMBER,
    "int_parsing": _A_WHOLE_NUMBER,
    "int_parsing_size": "must be a smaller number",
    "int_from_float": _A_WHOLE_NUMBER,
    "float_type": _A_NUMBER,
    "float_parsing": _A_NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": _TRUE_OR_FALSE,
    "bool_parsing": _TRUE_OR_FALSE,
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "list_type": _A_LIST,
    "tuple_type": _A_LIST,
    "dict_type": _AN_OBJECT,
    "model_type": _AN_OBJECT,
    "model_attributes_type": _AN_OBJECT,
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "datetime_type": _A_TIME,
    "datetime_parsing": _A_TIME,
    "datetime_from_date_parsing": _A_TIME,
    "datetime_object_invalid": _A_TIME,
    "timezone_aware": _A_TIME,
}


def invalid(error: ValidationError, model: type[BaseModel]) -> InvalidRequest:
    """Make one error of all wrong fields of a request, or of a line."""
    entries = error.errors(include_input=False, include_url=False)
    problems = [_problem(entry, entry["loc"]) for entry in entries]
    for place, entry in enumerate(entries):
        if entry["type"] == "extra_forbidden" and len(entry["loc"]) == 1:  # for the first of them
            known = ", ".join(field_names(model))
            problems[place] = FieldProblem(
                problems[place].field, f"is not known here; there are: {known}"
            )
            break
    return of_problems(problems)


def field_names(model: type[BaseModel]) -> list[str]:
    """Return the names by which a caller sends the fields of a model."""
    return sorted(field.alias or name for name, field in model.model_fields.items())


def invalid_parameters(entries: Iterable[Mapping[str, Any]]) -> InvalidRequest:
    """Make one error for wrong parameters of path, query and headers, as FastAPI reports them."""
    # Without the leading "query" or "path": fields are named alike wherever they come from.
    return of_problems([_problem(entry, entry["loc"][1:]) for entry in entries])


def of_problems(problems: Sequence[FieldProblem]) -> InvalidRequest:
    """Make one error of several fields, with the first ones in its text."""
    first = "; ".join(f"{problem.field}: {problem.message}" for problem in problems[:_SPELT_OUT])
    others = len(problems) - _SPELT_OUT
    more = f"; and {others} more" if others > 0 else ""
    return InvalidRequest(first + more, problems[:MOST_PROBLEMS])


def unknown_fields(names: Iterable[str], known: Iterable[str], unit: str) -> InvalidRequest:
    """Make an error of names that no field has; `unit` is "field" or "query parameter"."""
    wrong = sorted(names)
    return InvalidRequest(
        f"no {unit} is named {listed(wrong)}; there are: {', '.join(sorted(known))}",
        [FieldProblem(shortened(name), "is not known here") for name in wrong[:MOST_PROBLEMS]],
    )


def _problem(entry: Mapping[str, Any], location: Sequence[str | int]) -> FieldProblem:
    message = _message(entry)
    if location and location[-1] == "[key]":  # a name, and not what it names
        location, message = location[:-1], f"as a name, {message}"
    path = ".".join(shortened(str(part)) for part in location)
    return FieldProblem(shortened(path, _MOST_LOCATION) or "body", message)


def _message(entry: Mapping[str, Any]) -> str:
    context: Mapping[str, Any] = entry.get("ctx", {})
    if entry["type"] == "value_error":  # one that a schema of ours raised
        return str(context["error"])
    if entry["type"] == "string_pattern_mismatch" and context["pattern"] in _PATTERNS:
        return _PATTERNS[context["pattern"]]
    template = _MESSAGES.get(entry["type"])
    if template is not None:
        return _counted(template.format_map(context))
    return re.sub(r"^Input should", "must", entry["msg"])


def _counted(message: str) -> str:
    """Put the noun after 1 into the singular."""
    return re.sub(r"\b1 (item|character)s$", r"1 \1", message)
