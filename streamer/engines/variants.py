"""The runtimes and the variants, as rows of data: a variant is one way of running a model in a runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from streamer.detection.preprocess import Preprocessing
from streamer.engines.config import THREADS


class Runtime(StrEnum):
    """The library that runs the model."""

    OPENVINO = "openvino"
    PYTORCH = "pytorch"
    ONNXRUNTIME = "onnxruntime"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Extra:
    """The extra of streamer that a runtime needs: its name, its title in messages, and the modules it installs."""

    name: str
    title: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A runtime, described without loading it.

    ``module`` is its file in this folder, and ``engine`` the class in it that implements `Engine`. ``keys`` are the
    refinements that a SPEC may have, each with its values; empty for a key that takes a number or the like.
    ``example`` is such a SPEC. ``properties``: it also takes OpenVINO's properties in upper case. ``devices``: it
    runs on several devices, and ``device_missing(spec)`` in the module returns why one cannot be used.
    """

    module: str
    engine: str
    keys: Mapping[str, tuple[str, ...]]
    example: str
    extra: Extra | None = None
    properties: bool = False
    devices: bool = False


_FREE: tuple[str, ...] = ()
_SWITCH = ("on", "off")
_ELSEWHERE = (Preprocessing.NUMPY, Preprocessing.OFF)

RUNTIMES: Mapping[Runtime, Row] = {
    Runtime.OPENVINO: Row(
        module="openvino",
        engine="OpenVinoEngine",
        keys={
            "threads": _FREE,
            "precision": ("f32", "bf16", "f16"),
            "device": _FREE,
            "shared": _SWITCH,
            "preprocess": tuple(Preprocessing),
            "prime": _SWITCH,
            "requests": _FREE,
        },
        example="ir-fast,threads=2",
        properties=True,
        devices=True,
    ),
    Runtime.PYTORCH: Row(
        module="pytorch",
        engine="PyTorchEngine",
        keys={"threads": _FREE, "precision": ("f32", "bf16"), "preprocess": _ELSEWHERE, "prime": _SWITCH},
        example="pytorch,threads=2",
        extra=Extra("torch", "PyTorch", ("torch", "ultralytics")),
    ),
    Runtime.ONNXRUNTIME: Row(
        module="onnxruntime",
        engine="OnnxRuntimeEngine",
        keys={"threads": _FREE, "preprocess": _ELSEWHERE, "prime": _SWITCH},
        example="onnxruntime,threads=2",
        extra=Extra("onnxruntime", "ONNX Runtime", ("onnxruntime",)),
    ),
    Runtime.NULL: Row(
        module="null",
        engine="NullEngine",
        keys={"delay_ms": _FREE, "preprocess": _ELSEWHERE, "prime": _SWITCH, "requests": _FREE},
        example="null,delay_ms=20",
    ),
}


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One way of running a model: a variant with its refinements.

    ``file`` is the kind of model file it needs (pt, onnx, ir or int8; empty for none). ``config`` has OpenVINO's
    properties; threads and precision have these names in every runtime, and the value ``usable cores`` stands for
    their number. ``shared``: preprocess writes into the tensor's own memory, and no input is copied. ``prime``:
    throw-away inferences fill the idle time before a frame. ``requests`` is how many inferences may be in flight at
    once; 0 for the runtime's own optimum. ``compiled`` is torch.compile's. ``delay_ms`` is the null engine's.
    """

    variant: str
    about: str
    runtime: Runtime
    file: str = ""
    device: str = "CPU"
    config: tuple[tuple[str, str], ...] = ()
    shared: bool = False
    preprocess: Preprocessing = Preprocessing.NUMPY
    prime: bool = False
    requests: int = 1
    compiled: bool = False
    delay_ms: float = 0
    spec: str = ""


USABLE_CORES = "usable cores"

_PYTORCH = EngineSpec("pytorch", "the .pt model in PyTorch, eager, no gradients", Runtime.PYTORCH, "pt")
_IR = EngineSpec("ir", "OpenVINO IR with FP16 weights", Runtime.OPENVINO, "ir")
_AUTO = replace(
    _IR,
    variant="ir-auto",
    about="the same on AUTO, in latency mode",
    device="AUTO",
    config=(("PERFORMANCE_HINT", "LATENCY"),),
)
_SHARED = replace(
    _AUTO, variant="ir-auto-shared", about="the same, and preprocess writes into shared memory", shared=True
)

_ROWS = (
    _PYTORCH,
    EngineSpec("onnx", "the ONNX file, read by OpenVINO", Runtime.OPENVINO, "onnx"),
    _IR,
    replace(_IR, variant="ir-gpu", about="the same on an Intel GPU", device="GPU"),
    replace(
        _IR, variant="ir-threads", about="the same with a thread per usable core", config=((THREADS, USABLE_CORES),)
    ),
    _AUTO,
    _SHARED,
    replace(
        _SHARED,
        variant="ir-graph",
        about="ir-auto-shared with colour, layout and scale in the graph: 8-bit BGR goes in",
        preprocess=Preprocessing.GRAPH,
    ),
    replace(_SHARED, variant="ir-int8", about="ir-auto-shared with the quantized model", file="int8"),
    replace(
        _SHARED,
        variant="ir-fast",
        about="ir-int8 and ir-graph together",
        file="int8",
        preprocess=Preprocessing.GRAPH,
    ),
    replace(
        _SHARED,
        variant="ir-primed",
        about="ir-auto-shared, kept warm by throw-away inferences before each frame is due",
        prime=True,
    ),
    replace(
        _SHARED,
        variant="ir-throughput",
        about="in throughput mode, with several requests in flight",
        config=(("PERFORMANCE_HINT", "THROUGHPUT"),),
        requests=0,
    ),
    replace(_IR, variant="ir-npu", about="OpenVINO IR on an Intel NPU", device="NPU"),
    EngineSpec("onnxruntime", "the ONNX file in ONNX Runtime, a peer", Runtime.ONNXRUNTIME, "onnx"),
    replace(
        _PYTORCH,
        variant="pytorch-compile",
        about="the .pt model, compiled by torch.compile before the run",
        compiled=True,
    ),
    EngineSpec("null", "a fixed answer after delay_ms: measures the harness itself", Runtime.NULL),
)

VARIANTS = {row.variant: row for row in _ROWS}
TUTORIAL = ("pytorch", "onnx", "ir", "ir-gpu", "ir-threads", "ir-auto", "ir-auto-shared")
"""The seven variants of OpenVINO's latency tutorial, in its order."""
