"""Documents held to their types, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from jsonschema import Draft202012Validator


def closed(schema: dict[str, Any], open_parts: Sequence[str] = ()) -> dict[str, Any]:
    """The schema, and nothing beside the fields that it names, but in these parts."""
    schema = deepcopy(schema)
    for name, part in schema["$defs"].items():
        part["additionalProperties"] = name in open_parts
    return schema


def wrong(document: object, schema: dict[str, Any]) -> list[str]:
    """What is wrong with the document by a schema."""
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]
