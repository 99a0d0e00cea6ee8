"""The tiny model of a head: what it computes, whatever format it is written in.

Each object has a gate: 1 where the input has the object's colour at its place, else 0. The outputs are those of the
head for objects that a model is hardly sure of, and what each gate adds to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from benchmarks.conformance import scene
from benchmarks.conformance.forms import Form
from streamer.detection.head import Array, Head, Object
from streamer.detection.heads import HEADS
from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Port, channels_last

UNSURE = 0.02
"""The confidence in an object that is not seen."""

Node = TypeVar("Node")


class Graph(Protocol[Node]):
    """What writes a graph in one format: an operation each, as ONNX defines it."""

    def input(self, port: Port) -> Node: ...

    def constant(self, array: Array) -> Node: ...

    def cast(self, value: Node, dtype: str) -> Node: ...

    def slice(self, value: Node, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int]) -> Node: ...

    def binary(self, operation: str, one: Node, other: Node) -> Node:
        """``operation`` is Add, Sub, Mul or Less, with broadcasting."""
        ...

    def absolute(self, value: Node) -> Node: ...

    def reduce(self, operation: str, value: Node, axes: Sequence[int]) -> Node:
        """``operation`` is ReduceMean or ReduceMin; the axes are dropped."""
        ...

    def first_rows(self, value: Node, count: Node, axis: int) -> Node:
        """So many (int64, a scalar) of an axis, whose length is then open."""
        ...

    def output(self, value: Node, port: Port) -> None: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the tiny model of a head computes with."""

    form: Form
    head: Head
    spec: InputSpec
    shown: tuple[scene.Shown, ...]
    unsure: list[Array]
    """The outputs when no object is seen."""
    added: tuple[list[Array], ...]
    """What is added to them for each object that is."""


def recipe(name: str, form: Form) -> Recipe:
    """The recipe for the head of this name."""
    kind = HEADS[name]
    head = kind(form.signature, None if form.names is None else len(form.names))
    spec = form.input or (scene.of_bytes(kind.assumed) if form.picture.dtype == "uint8" else kind.assumed)
    shown = scene.objects(form.input_size)
    sure = [_object(one, form.input_size, spec) for one in shown]
    unsure = [replace(one, confidence=UNSURE) for one in sure]
    base = head.example(unsure)
    added = tuple(
        [
            _difference(there, here)
            for there, here in zip(head.example([*unsure[:at], one, *unsure[at + 1 :]]), base, strict=True)
        ]
        for at, one in enumerate(sure)
    )
    if form.in_cells:
        _fill(base[0].reshape(-1, base[0].shape[-1])[len(shown) :], form.input_size, len(shown))
    return Recipe(form, head, spec, shown, base, added)


def _fill(rows: Array, input_size: tuple[int, int], first: int) -> None:
    """Boxes (centre, size) that fill their cells of the grids of 8, 16 and 32 pixels, from the ``first`` cell on."""
    height, width = input_size
    cells = [
        (x + stride / 2, y + stride / 2, stride, stride)
        for stride in (8, 16, 32)
        for y in range(0, height, stride)
        for x in range(0, width, stride)
    ]
    rows[:, :4] = cells[first:]


def _object(one: scene.Shown, input_size: tuple[int, int], spec: InputSpec) -> Object:
    x1, y1, x2, y2 = scene.place(one.box, input_size, spec.fit)
    return Object((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, one.confidence, one.class_id)


def _difference(there: Array, here: Array) -> Array:
    if here.dtype.kind in "iu":
        assert np.array_equal(there, here), "a label hangs on its confidence"
    return np.subtract(there, here, dtype=np.float64).astype(np.float32)


def write(graph: Graph[Any], made: Recipe) -> None:
    """Writes the model."""
    form = made.form
    picture = graph.cast(graph.input(form.picture), "float32")
    others = [graph.cast(graph.input(port), "float32") for port in form.others]
    right = _others_right(graph, made, others)
    gates = [_gate(graph, made, picture, one) for one in made.shown]
    if right is not None:
        gates = [graph.binary("Mul", gate, right) for gate in gates]
    nothing = graph.binary("Mul", graph.reduce("ReduceMean", picture, range(len(form.picture.shape))), _zero(graph))
    for at, (port, base) in enumerate(zip(form.outputs, made.unsure, strict=True)):
        # What is the same for every picture hangs on the input too, or it would be no output but a constant.
        value = graph.binary("Add", graph.constant(base.astype(np.float32)), nothing)
        for gate, added in zip(gates, made.added, strict=True):
            if added[at].any():
                value = graph.binary("Add", value, graph.binary("Mul", graph.constant(added[at]), gate))
        value = graph.cast(value, port.dtype)
        for axis, side in enumerate(port.shape):
            if side is None:
                rows = graph.binary("Add", graph.constant(np.array(base.shape[axis], np.float32)), nothing)
                value = graph.first_rows(value, graph.cast(rows, "int64"), axis)
        graph.output(value, port)


def _zero(graph: Graph[Any]) -> Any:
    return graph.constant(np.zeros((), np.float32))


def _gate(graph: Graph[Any], made: Recipe, picture: Any, one: scene.Shown) -> Any:
    """1 where the object is seen, else 0."""
    last = channels_last(made.form.picture)
    rank = len(made.form.picture.shape)
    down, across = (rank - 3, rank - 2) if last else (rank - 2, rank - 1)
    x1, y1, x2, y2 = scene.place(one.box, made.form.input_size, made.spec.fit)
    patch = graph.slice(picture, [y1, x1], [y2, x2], [down, across])
    shape = (1, 1, 3) if last else (3, 1, 1)
    expected = graph.constant(scene.numbers(one.rgb, made.spec).reshape(shape))
    off = graph.reduce("ReduceMean", graph.absolute(graph.binary("Sub", patch, expected)), [down, across])
    near = graph.binary("Less", off, graph.constant(scene.tolerance(made.spec)))
    return graph.reduce("ReduceMin", graph.cast(near, "float32"), range(rank - 2))


def _others_right(graph: Graph[Any], made: Recipe, others: list[Any]) -> Any:
    """1 where the other inputs hold what the head gives them, else 0; None where there are none."""
    right = None
    for at, (value, port) in enumerate(zip(others, made.form.others, strict=True), start=1):
        expected = np.asarray(made.head.other_inputs()[at], np.float32)
        off = graph.absolute(graph.binary("Sub", value, graph.constant(expected)))
        near = graph.cast(graph.binary("Less", off, graph.constant(np.array(1e-3, np.float32))), "float32")
        one = graph.reduce("ReduceMin", near, range(len(port.shape)))
        right = one if right is None else graph.binary("Mul", right, one)
    return right
