"""Preprocessing inside a model: added by its conversion to IR, or the first steps of its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.detection.input_spec import Colour
from streamer.models.input_choice import BY_CONVERSION, BY_GRAPH, BYTES, Declared, declared

CONVERSION_KEYS = ("mean_values", "scale_values", "scale", "reverse_input_channels")
NOT_GIVEN = ("", "()", "[]", "{}", "None", "False", "1", "1.0", "DIR")

PASSES = ("Convert", "Transpose", "Reshape", "Squeeze", "Unsqueeze")
ARITHMETIC = {"Multiply": np.multiply, "Divide": np.divide, "Add": np.add, "Subtract": np.subtract}
COLOURS = 3
OF_BYTES = (0.5 / 255, 25 / 255)
"""A graph that multiplies its input by a number in this range takes bytes: numbers of 0 to 1 need no such step."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The first steps of a graph: the factors of the colours (1 or 3), and whether they swap the colours."""

    slope: Numbers
    swaps: bool


def by_conversion(given: Mapping[str, str]) -> Declared:
    """The preprocessing that follows from Model Optimizer's parameters; ``given`` has those of `CONVERSION_KEYS`.

    What they requested is inside the IR: with a mean or scale it takes bytes, and with reversed channels BGR.
    """
    requested = {key for key, value in given.items() if value.strip() not in NOT_GIVEN}
    parts: Declared = declared(BY_CONVERSION, **BYTES) if requested - {"reverse_input_channels"} else {}
    return {**parts, **declared(BY_CONVERSION, colour=Colour.BGR)} if "reverse_input_channels" in requested else parts


def by_first_steps(steps: FirstSteps) -> Declared:
    """The preprocessing that follows from the first steps of a graph: bytes, or nothing."""
    least, most = OF_BYTES
    small = bool(((np.abs(steps.slope) >= least) & (np.abs(steps.slope) <= most)).all())
    return declared(BY_GRAPH, **BYTES) if small else {}


def first_steps(parameter: Any) -> FirstSteps:
    """The steps after ``parameter`` (OpenVINO's output) that change only form, colour order or scale."""
    slope, swaps, output = np.ones(COLOURS), False, parameter
    while True:
        users = [target for target in output.get_target_inputs() if target.get_node().get_type_name() != "ShapeOf"]
        node = users[0].get_node() if len(users) == 1 else None
        kind = None if node is None else node.get_type_name()
        if node is None or (kind not in PASSES and kind not in ARITHMETIC and kind not in _SWAPS):
            return FirstSteps(slope, swaps)
        if kind in _SWAPS:
            swapped = _SWAPS[kind](node)
            if swapped is None:
                return FirstSteps(slope, swaps)
            swaps, node = not swaps, swapped
        elif kind in ARITHMETIC:
            number = _constant(node, 1 - users[0].get_index())
            if number is None or (kind == "Divide" and users[0].get_index() == 1):
                return FirstSteps(slope, swaps)
            if kind in ("Multiply", "Divide"):
                slope = ARITHMETIC[kind](slope, number)
        output = node.output(0)


def _constant(node: Any, at: int) -> Numbers | None:
    """The constant at an input, one number or one per colour; None for a computed value or another size."""
    source = node.input_value(at).get_node()
    if source.get_type_name() == "Convert":
        source = source.input_value(0).get_node()
    if source.get_type_name() != "Constant":
        return None
    numbers = np.asarray(source.get_data(), np.float64).ravel()
    return numbers if len(numbers) in (1, COLOURS) and numbers.all() else None


def _gather_swaps(node: Any) -> Any | None:
    order = _indices(node.input_value(1).get_node())
    return node if order == [2, 1, 0] else None


def _split_swaps(node: Any) -> Any | None:
    """The concatenation after a split into the three colours, where it joins them in reversed order; else None."""
    if node.get_output_size() != COLOURS:
        return None
    joined = []
    for colour in node.outputs():
        targets = list(colour.get_target_inputs())
        if len(targets) != 1 or targets[0].get_node().get_type_name() != "Concat":
            return None
        joined.append((targets[0].get_node(), targets[0].get_index()))
    first = joined[0][0]
    same = all(join.get_friendly_name() == first.get_friendly_name() for join, _ in joined)
    return first if same and [at for _, at in joined] == [2, 1, 0] else None


_SWAPS = {"Gather": _gather_swaps, "Split": _split_swaps, "VariadicSplit": _split_swaps}


def _indices(node: Any) -> list[int] | None:
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return list(map(int, node.get_data().ravel())) if node.get_type_name() == "Constant" else None
