"""The names of classes."""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = frozenset({"background", "no object"})
"""Names of classes that are no objects, in small letters and without underscores."""


def classes_of_nothing(names: Sequence[str]) -> frozenset[int]:
    """The ids of the classes whose names are in `NOTHING`."""
    plain = (" ".join(name.lower().replace("_", " ").split()) for name in names)
    return frozenset(class_id for class_id, name in enumerate(plain) if name in NOTHING)


def label_of(names: Sequence[str], class_id: int) -> str:
    """The name of a class; ``class_N`` where there are no names."""
    return names[class_id] if names else f"class_{class_id}"
