"""docs/reference/api.md, made of the public names: mkdocstrings fills in what each of them is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import streamer
from tests.docs.pages.markdown import MADE

HEADING = f"""# The API

All that is public is in `streamer` itself. [Use the library](../howto/library.md) tells how to use it. `import
streamer` loads neither a runtime nor NumPy, and nothing here prints. {MADE}
"""


def _is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


SECTIONS: Mapping[str, Callable[[Any], bool]] = {
    "Functions": inspect.isfunction,
    "To be awaited": lambda value: isinstance(value, ModuleType),
    "Classes": lambda value: isinstance(value, type) and not _is_error(value),
    "Errors": _is_error,
}
"""What stands in each section."""


def page() -> str:
    """What is to be in the file."""
    names = [name for name in sorted(streamer.__all__, key=str.lower) if not name.startswith("__")]
    sections = {
        title: [name for name in names if belongs(getattr(streamer, name))] for title, belongs in SECTIONS.items()
    }
    assert sorted(names) == sorted(name for found in sections.values() for name in found), "a name is in no section"
    return HEADING + "".join(
        f"\n## {title}\n" + "".join(f"\n::: streamer.{name}\n" for name in found) for title, found in sections.items()
    )
