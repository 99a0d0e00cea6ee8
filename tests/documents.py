"""Checks documents against their types, field by field."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from jsonschema import Draft202012Validator

from streamer.run.schema import schema_of

OPEN = ("FaultPart",)
"""Parts that have other fields beside those of the schema: the keys of a plan of faults."""


def closed_schema(kind: type) -> dict[str, Any]:
    """The schema of a typed dictionary, and nothing beside the fields that it names."""
    schema = deepcopy(schema_of(kind, kind.__name__))
    for name, part in schema["$defs"].items():
        part["additionalProperties"] = name in OPEN
    return schema


def wrong(document: object, kind: type, part: str = "") -> list[str]:
    """What is wrong with a document of a kind, or with a part of one: also a field that is missing, or one more."""
    schema = {**closed_schema(kind), "$ref": f"#/$defs/{part or kind.__name__}"}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]
