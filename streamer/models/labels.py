"""Class names: as metadata writes them, and in files of the user's own."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from streamer.errors import UsageError


def names_of(written: Any) -> tuple[str, ...] | None:
    """The names in a list, in a dictionary by class number, or in the text of either; else, or if empty, None."""
    if isinstance(written, str):
        try:
            written = ast.literal_eval(written)
        except (ValueError, SyntaxError):
            return None
    if isinstance(written, dict):
        if sorted(written, key=str) != sorted(range(len(written)), key=str):
            return None
        written = [written[number] for number in range(len(written))]
    return tuple(str(name) for name in written) if isinstance(written, (list, tuple)) and written else None


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a file: a label a line, or ``names`` of a metadata.yaml or data.yaml. Raises UsageError."""
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
