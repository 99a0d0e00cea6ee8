"""The kit's models as IR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.conformance.recipe import Recipe, write
from streamer.detection.head import Array
from streamer.detection.ports import Port
from streamer.vendors.openvino_quiet import ov

BINARY = {"Add": "add", "Sub": "subtract", "Mul": "multiply", "Less": "less"}
REDUCE = {"ReduceMean": "reduce_mean", "ReduceMin": "reduce_min"}


class IrGraph:
    """Writes a graph of OpenVINO's operations."""

    def __init__(self) -> None:
        self._op = ov.opset13
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, port: Port) -> Any:
        node = self._op.parameter(list(port.shape), np.dtype(port.dtype), port.name)
        node.output(0).set_names({port.name})
        self.inputs.append(node)
        return node

    def constant(self, array: Array) -> Any:
        return self._op.constant(array)

    def cast(self, value: Any, dtype: str) -> Any:
        return self._op.convert(value, ov.Type(np.dtype(dtype)).get_type_name())

    def slice(self, value: Any, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int]) -> Any:
        numbers = (self._op.constant(np.array(part, np.int64)) for part in (starts, ends, [1] * len(axes), axes))
        return self._op.slice(value, *numbers)

    def binary(self, operation: str, one: Any, other: Any) -> Any:
        return getattr(self._op, BINARY[operation])(one, other)

    def absolute(self, value: Any) -> Any:
        return self._op.abs(value)

    def reduce(self, operation: str, value: Any, axes: Sequence[int]) -> Any:
        make = getattr(self._op, REDUCE[operation])
        return make(value, self._op.constant(np.array(axes, np.int64)), keep_dims=False)

    def first_rows(self, value: Any, count: Any, axis: int) -> Any:
        one, zero = (self._op.constant(np.int64(number)) for number in (1, 0))
        rows = self._op.range(zero, count, one, "i64")
        return self._op.gather(value, rows, self._op.constant(np.int64(axis)))

    def output(self, value: Any, port: Port) -> None:
        value.output(0).set_names({port.name})
        self.outputs.append(self._op.result(value))


def write_ir(made: Recipe, path: Path) -> Path:
    """Writes the model to ``path`` (.xml, and .bin beside it)."""
    graph = IrGraph()
    write(graph, made)
    model = ov.Model(graph.outputs, graph.inputs, "conformance")
    for section, values in (("framework", made.form.metadata), ("model_info", made.form.model_info)):
        for key, value in values.items():
            model.set_rt_info(str(value), [section, key])
    ov.save_model(model, path, compress_to_fp16=False)
    return path
