"""The variants, as rows of data, and the SPEC that names one and refines it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from enum import StrEnum

from streamer.errors import UsageError


class Runtime(StrEnum):
    """What runs the model."""

    OPENVINO = "openvino"
    PYTORCH = "pytorch"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One way of running a model: a variant with its refinements.

    ``file`` is the kind of model file it needs (pt, onnx or ir; empty for none). ``config`` holds OpenVINO
    properties; the value ``usable cores`` stands for their number. ``shared`` lets preprocess write into the tensor
    instead of having the input copied in. ``delay_ms`` is the null engine's.
    """

    variant: str
    about: str
    runtime: Runtime
    file: str = ""
    device: str = "CPU"
    config: tuple[tuple[str, str], ...] = ()
    shared: bool = False
    delay_ms: float = 0
    spec: str = ""


USABLE_CORES = "usable cores"
_LATENCY = (("PERFORMANCE_HINT", "LATENCY"),)

VARIANTS = {
    row.variant: row
    for row in (
        EngineSpec("pytorch", "the .pt model in PyTorch, eager, no gradients", Runtime.PYTORCH, "pt"),
        EngineSpec("onnx", "the ONNX file, read by OpenVINO", Runtime.OPENVINO, "onnx"),
        EngineSpec("ir", "OpenVINO IR with FP16 weights", Runtime.OPENVINO, "ir"),
        EngineSpec("ir-gpu", "the same on an Intel GPU", Runtime.OPENVINO, "ir", device="GPU"),
        EngineSpec(
            "ir-threads",
            "the same with a thread per usable core",
            Runtime.OPENVINO,
            "ir",
            config=(("INFERENCE_NUM_THREADS", USABLE_CORES),),
        ),
        EngineSpec(
            "ir-auto",
            "the same on AUTO, in latency mode",
            Runtime.OPENVINO,
            "ir",
            device="AUTO",
            config=_LATENCY,
        ),
        EngineSpec(
            "ir-auto-shared",
            "the same, and preprocess writes into shared memory",
            Runtime.OPENVINO,
            "ir",
            device="AUTO",
            config=_LATENCY,
            shared=True,
        ),
        EngineSpec("null", "a fixed answer after delay_ms: measures the harness itself", Runtime.NULL),
    )
}


def parse_spec(text: str) -> EngineSpec:
    """The engine that a SPEC asks for: a variant, optionally followed by ``,key=value`` refinements.

    Upper-case keys are OpenVINO properties; ``threads`` is short for INFERENCE_NUM_THREADS; ``delay_ms`` belongs to
    ``null``. Raises UsageError, which lists the known ones, for an unknown variant or key.
    """
    name, *refinements = [part.strip() for part in text.split(",")]
    if name not in VARIANTS:
        close = difflib.get_close_matches(name, VARIANTS, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"unknown engine {name!r}: {hint}the engines are {', '.join(VARIANTS)}")
    spec = VARIANTS[name]
    for refinement in refinements:
        key, equals, value = (part.strip() for part in refinement.partition("="))
        if not equals or not key or not value:
            raise UsageError(f"engine {text!r}: {refinement!r} is not key=value, as in {_example(spec)}")
        spec = _refine(spec, key, value)
    return replace(spec, spec=text)


def _example(spec: EngineSpec) -> str:
    return {
        Runtime.NULL: "null,delay_ms=20",
        Runtime.OPENVINO: f"{spec.variant},threads=2",
        Runtime.PYTORCH: "pytorch,threads=2",
    }[spec.runtime]


def known_keys(runtime: Runtime) -> str:
    """The refinements that a runtime's variants take, in words."""
    return {
        Runtime.NULL: "delay_ms",
        Runtime.PYTORCH: "threads",
        Runtime.OPENVINO: "threads, and OpenVINO's properties in upper case, as in INFERENCE_PRECISION_HINT=f32",
    }[runtime]


def _refine(spec: EngineSpec, key: str, value: str) -> EngineSpec:
    if key == "delay_ms" and spec.runtime is Runtime.NULL:
        return replace(spec, delay_ms=_number(key, value))
    if key == "threads" and spec.runtime is not Runtime.NULL:
        if not value.isdigit() or int(value) < 1:
            raise UsageError(f"threads={value}: give a whole number of 1 or more")
        return _with_property(spec, "INFERENCE_NUM_THREADS", value)
    if key.isupper() and spec.runtime is Runtime.OPENVINO:
        return _with_property(spec, key, value)
    raise UsageError(f"engine {spec.variant} has no {key!r}: it takes {known_keys(spec.runtime)}")


def _with_property(spec: EngineSpec, key: str, value: str) -> EngineSpec:
    return replace(spec, config=tuple({**dict(spec.config), key: value}.items()))


def _number(key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1
    if not 0 <= number < 1e9:
        raise UsageError(f"{key}={value}: give milliseconds of 0 or more")
    return number
