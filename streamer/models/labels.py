"""Reads class names from metadata and from the user's files."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from streamer.errors import UsageError


def names_of(written: Any) -> tuple[str, ...] | None:
    """The names in a list, in a dictionary by class number, or in a text of either, in Python's or JSON's syntax.

    The numbers may be texts, as JSON's always are. None for anything else, and for no name at all.
    """
    if isinstance(written, str):
        written = _literal(written)
    if isinstance(written, dict):
        by_number = {str(number).strip(): name for number, name in written.items()}
        written = [by_number.get(str(number)) for number in range(len(written))]
    if not isinstance(written, (list, tuple)) or not written:
        return None
    return tuple(map(str, written)) if all(isinstance(name, (str, int, float)) for name in written) else None


def _literal(text: str) -> Any:
    for read in (ast.literal_eval, json.loads):
        with suppress(ValueError, SyntaxError, RecursionError):
            return read(text)
    return None


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a file: one label per line, or ``names`` of a metadata.yaml or data.yaml. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read the names in {path}: {why}; give a text file with a label a line") from error
    if path.suffix.lower() in (".yaml", ".yml"):
        found = names_of(read_yaml(text).get("names"))
        if found is None:
            raise UsageError(f"{path} has no list of names: give a metadata.yaml or data.yaml with 'names'")
        return found
    names = tuple(line.strip() for line in text.strip().splitlines())
    if not names or "" in names:
        raise UsageError(
            f"{path} is {'empty' if not text.strip() else 'broken by an empty line'}: give a label a line"
        )
    return names


def read_yaml(text: str) -> dict[Any, Any]:
    """The mapping in a YAML document; empty when it is none."""
    import yaml  # type: ignore[import-untyped]

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return document if isinstance(document, dict) else {}
