"""A detector as streamer knows it before running it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from streamer.detection.class_names import classes_of_nothing
from streamer.detection.head import Head
from streamer.detection.heads import head_of
from streamer.detection.input_spec import Fit, InputSpec
from streamer.detection.ports import Signature
from streamer.models.files import KINDS
from streamer.models.input_choice import BY_USER
from streamer.models.input_option import as_option

BUNDLED = "street"


@dataclass(frozen=True, slots=True)
class Model:
    """A detector: its files and what they hold.

    ``path`` is the named file. ``files`` and ``hashes`` (SHA-256) are by kind: pt, onnx, ir, int8 (an IR whose
    weights and activations are quantized). ``signature`` has the inputs and outputs. ``head`` is the name of the
    head that decodes the outputs. ``names`` has a label per class, and is empty where they are unknown. ``input`` is
    the preprocessing; ``input_by`` names the origin of each part of it. ``stride`` divides every size that the model
    takes; None where it is unknown. ``dynamic``: the named file takes other sizes as well. ``confidence`` and
    ``iou`` are the thresholds in its metadata; None where there are none. ``doubts`` are sentences about faults that
    were found in it; every run repeats them.
    """

    name: str
    path: Path
    files: Mapping[str, Path]
    hashes: Mapping[str, str]
    signature: Signature
    head: str
    names: tuple[str, ...]
    input: InputSpec
    input_by: Mapping[str, str]
    stride: int | None = None
    dynamic: bool = False
    confidence: float | None = None
    iou: float | None = None
    doubts: tuple[str, ...] = ()

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the pictures that go in."""
        return self.signature.input_size

    @property
    def classes(self) -> int | None:
        """How many classes have a name; None where they have none."""
        return len(self.names) or None

    def input_with(self, fit: Fit | None) -> InputSpec:
        """The model's preprocessing; a ``fit`` replaces the model's own."""
        return self.input if fit is None else replace(self.input, fit=fit)

    def decoder(self) -> Head:
        """The head that decodes its outputs. Raises ModelError for a head that this version does not know."""
        head = head_of(self.head, self.signature, self.classes)
        head.nothing = head.nothing | classes_of_nothing(self.names)
        return head

    @property
    def bundled(self) -> bool:
        """It is the model that comes with streamer, trained on the synthetic street."""
        return self.name == BUNDLED

    @property
    def kind(self) -> str:
        """The kind of the file that was named."""
        return KINDS[self.path.suffix.lower()]

    @property
    def sha256(self) -> str:
        """The hash of the file that was named."""
        return self.hashes[self.kind]

    def key(self, kind: str) -> tuple[str, tuple[int, int] | None]:
        """The cache key of files made from the file of ``kind``: its hash, and its size if it takes any size."""
        any_size = kind == "pt" or (self.dynamic and kind == self.kind)
        return self.hashes[kind], self.input_size if any_size else None

    def quantized_key(self) -> tuple[str, tuple[int, int] | None]:
        """The cache key of an IR quantized from the named file; preprocessing set with ``--input`` is part of it."""
        source, size = self.key(self.kind)
        if BY_USER not in self.input_by.values():
            return source, size
        return f"{source}-{hashlib.sha256(as_option(self.input).encode()).hexdigest()[:16]}", size
