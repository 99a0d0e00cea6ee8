"""JSON Schemas of documents, made from their types: that of ``run.json`` comes with the package."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from inspect import cleandoc, getdoc, getsource
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from streamer.run.manifest import Manifest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SHIPPED = Path(__file__).with_name("run.schema.json")
"""The schema that comes with the package, for programs that are not written in Python."""
NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", NoneType: "null"}


def manifest_schema() -> dict[str, Any]:
    """The schema of ``run.json``."""
    return schema_of(Manifest, "run.json")


def schema_of(document: type, title: str) -> dict[str, Any]:
    """The schema of a typed document, draft 2020-12. It allows fields that it does not name: some may be added."""
    parts = dict.fromkeys(_parts_of(document))
    return {
        "$schema": DIALECT,
        "title": title,
        **_reference(document),
        "$defs": {part.__name__: _object(part) for part in parts},
    }


def write_schema() -> None:
    """Writes the shipped schema, after the types have changed."""
    SHIPPED.write_text(json.dumps(manifest_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _parts_of(kind: Any) -> Iterator[type]:
    """The part and the parts that it contains, also in lists and the like; one that is used twice comes twice."""
    if is_typeddict(kind):
        yield kind
    inner = get_type_hints(kind).values() if is_typeddict(kind) else get_args(kind)
    for one in inner:
        yield from _parts_of(one)


def _object(part: type) -> dict[str, Any]:
    hints = get_type_hints(part, include_extras=True)
    described = {"description": getdoc(part)} if part.__doc__ else {}
    meanings = _meanings(part)
    return {
        **described,
        "type": "object",
        "properties": {name: _field(hint, meanings.get(name)) for name, hint in hints.items()},
        "required": [name for name, hint in hints.items() if get_origin(hint) is not NotRequired],
    }


def _meanings(part: type) -> dict[str, str]:
    """The meaning of each field of a part: the docstring behind it in the class."""
    try:
        (written,) = ast.parse(getsource(part)).body
    except OSError:  # not written as a class, since names of fields are keywords: they are annotated
        return {}
    assert isinstance(written, ast.ClassDef)
    module = sys.modules[part.__module__]
    bases = [getattr(module, base.id) for base in written.bases if isinstance(base, ast.Name)]
    inherited = [_meanings(base) for base in bases if is_typeddict(base)]
    own = {
        field.target.id: cleandoc(text.value.value)
        for field, text in pairwise(written.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
    return {name: text for one in (*inherited, own) for name, text in one.items()}


def _field(kind: Any, meaning: str | None) -> dict[str, Any]:
    if get_origin(kind) is Annotated:
        kind, meaning = get_args(kind)
    return {**_schema(kind), **({} if meaning is None else {"description": meaning})}


def _reference(part: type) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{part.__name__}"}


def _schema(kind: Any) -> dict[str, Any]:
    if is_typeddict(kind):
        return _reference(kind)
    if kind in NAMES:
        return {"type": NAMES[kind]}
    origin, inner = get_origin(kind), get_args(kind)
    if origin is NotRequired:
        return _schema(inner[0])
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": _schema(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(inner[1])}
    assert origin in (UnionType, Union), f"{kind} has no schema: write down how it looks in JSON"
    return {"anyOf": [_schema(one) for one in inner]}
