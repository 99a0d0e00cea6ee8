"""The inputs and outputs of a model."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.errors import ModelError

COLOURS = 3


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output: its name (may be empty), its shape (None: any number), and NumPy's name of its type."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"

    def __str__(self) -> str:
        sides = " x ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name or 'without a name'}: {sides} {self.dtype}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a model, in its own order, for pictures of ``input_size`` (height, width).

    The inputs have fixed shapes, for one picture of that size at a time.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    input_size: tuple[int, int]

    @property
    def picture(self) -> int:
        """The number of the input that takes the picture. Raises ModelError when none does."""
        return picture_input(self.inputs)

    @property
    def picture_port(self) -> Port:
        """The input that takes the picture. Raises ModelError when none does."""
        return self.inputs[self.picture]

    def output(self, *names: str) -> int | None:
        """The number of the output with one of these names, in any case; None for none."""
        wanted = {name.lower() for name in names}
        return next((at for at, port in enumerate(self.outputs) if port.name.lower() in wanted), None)

    def input(self, *names: str) -> int | None:
        """The number of the input with one of these names, in any case; None for none."""
        wanted = {name.lower() for name in names}
        return next((at for at, port in enumerate(self.inputs) if port.name.lower() in wanted), None)


def fixed(port: Port) -> tuple[int, ...]:
    """The shape of an input, with 1 for a side that takes any number."""
    return tuple(side or 1 for side in port.shape)


def channels_last(port: Port) -> bool:
    """The input takes height x width x 3, not 3 x height x width."""
    return port.shape[-1] == COLOURS and port.shape[-3] != COLOURS


def picture_input(inputs: tuple[Port, ...]) -> int:
    """The number of the first input for a picture in three colours, with or without a batch.

    Raises ModelError when there is none; the message is the end of a sentence about the model.
    """
    for at, port in enumerate(inputs):
        sides = port.shape[1:] if len(port.shape) == 4 else port.shape
        if len(sides) == 3 and (COLOURS in (sides[0], sides[2]) or sides[0] is None):
            return at
    shapes = "; ".join(map(str, inputs))
    raise ModelError(f"takes no images in three colours, its inputs are {shapes}: give a detector of colour images")
