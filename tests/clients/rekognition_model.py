"""The service model of Rekognition that botocore ships, as an oracle.

Prints the members of all inputs, then what is wrong with each of the outputs that the test gives.
"""

import re
from typing import Any

from botocore.model import OperationModel, Shape
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.clients.calls import call, given

_MODEL = get_session().get_service_model("rekognition")


def described(shape: Shape) -> dict[str, Any]:
    """The constraints of a shape, with those of its members, items, keys and values."""
    known = {"type": shape.type_name, **shape.metadata}
    if shape.type_name == "structure":
        known["members"] = {name: described(inner) for name, inner in shape.members.items()}
        known["required"] = sorted(shape.required_members)
    elif shape.type_name == "list":
        known["item"] = described(shape.member)
    elif shape.type_name == "map":
        known |= {"key": described(shape.key), "value": described(shape.value)}
    return known


def inputs(operations: list[str]) -> dict[str, Any]:
    return {name: described(_operation(name).input_shape) for name in operations}


def errors(operations: list[str]) -> dict[str, list[str]]:
    return {name: [shape.name for shape in _operation(name).error_shapes] for name in operations}


def faults(outputs: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [
        f"{name}: {fault}"
        for name, output in outputs
        for fault in _faults_of(output, _operation(name).output_shape)
    ]


def _operation(name: str) -> OperationModel:
    return _MODEL.operation_model(name)


def _faults_of(output: dict[str, Any], shape: Shape) -> list[str]:
    report = ParamValidator().validate(output, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found + list(_broken(output, shape, "output"))


def _broken(value: Any, shape: Shape, place: str) -> list[str]:
    """What the validator of botocore passes over: maxima, patterns, enumerations and nulls."""
    if value is None:
        return [f"{place} is null"]
    known, found = shape.metadata, []
    size = value if isinstance(value, (int, float)) else len(value)
    if not known.get("min", size) <= size <= known.get("max", size):
        found.append(f"{place} is out of bounds: {size}")
    if "enum" in known and value not in known["enum"]:
        found.append(f"{place} is none of the enumeration: {value}")
    if "pattern" in known and not re.fullmatch(known["pattern"], value):
        found.append(f"{place} does not have the pattern: {value}")
    if shape.type_name == "structure":
        for name, inner in value.items():
            found += _broken(inner, shape.members[name], f"{place}.{name}")
    elif shape.type_name == "list":
        for number, inner in enumerate(value):
            found += _broken(inner, shape.member, f"{place}[{number}]")
    return found


if __name__ == "__main__":
    arguments = given()
    call("inputs", inputs, arguments["operations"])
    call("errors", errors, arguments["operations"])
    call("faults", faults, arguments.get("outputs", []))
