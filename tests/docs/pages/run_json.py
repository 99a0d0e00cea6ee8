"""docs/reference/run-json.md, made from the schema of run.json."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from streamer.run.schema import manifest_schema
from tests.docs.pages.markdown import MADE, table

HEADING = f"""# run.json

`run.json` describes a run: what ran, on which machine, and the summary. The package has its [JSON
Schema](https://json-schema.org/draft/2020-12/schema) in `streamer/run/run.schema.json`. In Python `run.manifest` is
the same document as a typed dictionary. {MADE}

- Later versions may add fields. Programs should allow fields that they do not know.
- A field with *May be missing* is not in the `run.json` of older versions, unless it says otherwise.
- Names of times end in `_ms` (milliseconds) or `_s` (seconds). Names of sizes end in `_mb` (1,000,000 bytes, unless
  the field says otherwise) or `_bytes`.

"""


def page() -> str:
    """The text of the page: a section for each part, the whole document first."""
    parts: Mapping[str, Any] = manifest_schema()["$defs"]
    return HEADING + "\n".join(_section(name, part) for name, part in parts.items())


def fields() -> Iterator[str]:
    """The name of each field of each part."""
    for part in manifest_schema()["$defs"].values():
        yield from part["properties"]


def _section(name: str, part: Mapping[str, Any]) -> str:
    rows = (
        (f"`{field}`", _kind(schema), _meaning(schema, required=field in part["required"]))
        for field, schema in part["properties"].items()
    )
    title = "The whole" if name == "Manifest" else name
    described = _as_markdown(part.get("description", ""))
    return (
        f"## {title}\n\n{described + chr(10) * 2 if described else ''}{table('field', 'type', 'meaning', rows=rows)}"
    )


def _meaning(schema: Mapping[str, Any], *, required: bool) -> str:
    meaning = " ".join(_as_markdown(schema["description"]).split())
    return meaning if required else f"{meaning} *May be missing.*"


def _as_markdown(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _kind(schema: Mapping[str, Any]) -> str:
    """A type in words. The type of a part is its name, with a link to its section."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if schema["type"] == "object":
        return f"object by name of {_kind(schema['additionalProperties'])}"
    return str(schema["type"])
