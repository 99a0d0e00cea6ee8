"""docs/reference/api.md, made from the public names. mkdocstrings adds their signatures and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import streamer
from tests.docs.pages.markdown import MADE

HEADING = f"""# The API

All public names are in `streamer` itself. [Use the library](../howto/library.md) explains how to use them. `import
streamer` loads neither a runtime nor NumPy. No function prints. {MADE}
"""


def _is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


SECTIONS: Mapping[str, Callable[[Any], bool]] = {
    "Functions": inspect.isfunction,
    "To be awaited": lambda value: isinstance(value, ModuleType),
    "Classes": lambda value: isinstance(value, type) and not _is_error(value),
    "Errors": _is_error,
}
"""Which values each section has."""


def page() -> str:
    """The text of the page."""
    names = [name for name in sorted(streamer.__all__, key=str.lower) if not name.startswith("__")]
    sections = {
        title: [name for name in names if belongs(getattr(streamer, name))] for title, belongs in SECTIONS.items()
    }
    assert sorted(names) == sorted(name for found in sections.values() for name in found), "a name is in no section"
    return HEADING + "".join(
        f"\n## {title}\n" + "".join(f"\n::: streamer.{name}\n" for name in found) for title, found in sections.items()
    )
