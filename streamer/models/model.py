"""What is known of a detector before it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamer.detection.heads import Head
from streamer.models.files import KINDS

BUNDLED = "street"


@dataclass(frozen=True, slots=True)
class Model:
    """A detector: its files and what they hold.

    ``path`` is the file that was named; ``files`` and ``hashes`` (SHA-256) are by kind: pt, onnx, ir, int8 (an IR
    whose weights and activations are quantized). ``input_size`` is height, width; ``output_shape`` is that of the raw
    prediction; ``names`` has a label per class. ``stride`` divides every size that the model takes, where it is
    known. Of a ``dynamic`` model the named file takes other sizes as well.
    """

    name: str
    path: Path
    files: Mapping[str, Path]
    hashes: Mapping[str, str]
    input_size: tuple[int, int]
    output_shape: tuple[int, ...]
    head: Head
    names: tuple[str, ...]
    stride: int | None = None
    dynamic: bool = False

    @property
    def bundled(self) -> bool:
        """It is the one that comes with streamer, trained on the synthetic street."""
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
        """What is made from the file of ``kind`` is kept under: its hash, and the size if it takes any."""
        any_size = kind == "pt" or (self.dynamic and kind == self.kind)
        return self.hashes[kind], self.input_size if any_size else None
