"""Parses a SPEC: a variant with its refinements, as in ``ir-fast,threads=4,prime=on``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from streamer.detection.preprocess import Preprocessing
from streamer.engines.config import PRECISION, THREADS
from streamer.engines.variants import RUNTIMES, VARIANTS, EngineSpec, Runtime
from streamer.errors import UsageError

MOST_REQUESTS = 64


def parse_spec(text: str) -> EngineSpec:
    """The engine of a SPEC: a variant, optionally followed by ``,key=value`` refinements.

    Upper-case keys are OpenVINO properties. Raises UsageError for an unknown variant, key or value; it lists the
    known ones.
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
            raise UsageError(
                f"engine {text!r}: {refinement!r} is not key=value, as in {RUNTIMES[spec.runtime].example}"
            )
        spec = _refine(spec, key, value)
    return replace(spec, spec=text)


def known_keys(runtime: Runtime) -> str:
    """The refinements that a runtime's variants take, as text."""
    keys = ", ".join(RUNTIMES[runtime].keys)
    if RUNTIMES[runtime].properties:
        return f"{keys}, and OpenVINO's properties in upper case, as in NUM_STREAMS=1"
    return keys


def _refine(spec: EngineSpec, key: str, value: str) -> EngineSpec:
    keys = RUNTIMES[spec.runtime].keys
    if key in keys:
        if keys[key]:
            _check_one_of(key, value, keys[key])
        return _REFINEMENTS[key](spec, value)
    if key.isupper() and RUNTIMES[spec.runtime].properties:
        return _with_property(spec, key, value)
    close = difflib.get_close_matches(key, keys, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UsageError(f"engine {spec.variant} has no {key!r}: {hint}it takes {known_keys(spec.runtime)}")


def _with_property(spec: EngineSpec, key: str, value: str) -> EngineSpec:
    return replace(spec, config=tuple({**dict(spec.config), key: value}.items()))


def _threads(spec: EngineSpec, value: str) -> EngineSpec:
    return _with_property(spec, THREADS, str(_whole("threads", value)))


def _requests(spec: EngineSpec, value: str) -> EngineSpec:
    return replace(spec, requests=_whole("requests", value, MOST_REQUESTS))


def _whole(key: str, value: str, most: int | None = None) -> int:
    if not value.isdecimal() or int(value) < 1 or (most is not None and int(value) > most):
        span = "1 or more" if most is None else f"1 to {most}"
        raise UsageError(f"{key}={value}: give a whole number of {span}")
    return int(value)


def _precision(spec: EngineSpec, value: str) -> EngineSpec:
    return _with_property(spec, PRECISION, value)


def _preprocess(spec: EngineSpec, value: str) -> EngineSpec:
    return replace(spec, preprocess=Preprocessing(value))


def _device(spec: EngineSpec, value: str) -> EngineSpec:
    if not re.fullmatch(r"[A-Z]+(\.\d+)?", value):
        raise UsageError(f"device={value}: give CPU, GPU, NPU or AUTO, or one of several as in GPU.1")
    return replace(spec, device=value)


def _shared(spec: EngineSpec, value: str) -> EngineSpec:
    return replace(spec, shared=value == "on")


def _prime(spec: EngineSpec, value: str) -> EngineSpec:
    return replace(spec, prime=value == "on")


def _check_one_of(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{key}={value}: give {', '.join(known[:-1])} or {known[-1]}")


def _delay_ms(spec: EngineSpec, value: str) -> EngineSpec:
    try:
        number = float(value)
    except ValueError:
        number = -1
    if not 0 <= number < 1e9:
        raise UsageError(f"delay_ms={value}: give milliseconds of 0 or more")
    return replace(spec, delay_ms=number)


_REFINEMENTS: Mapping[str, Callable[[EngineSpec, str], EngineSpec]] = {
    "threads": _threads,
    "precision": _precision,
    "device": _device,
    "shared": _shared,
    "preprocess": _preprocess,
    "prime": _prime,
    "requests": _requests,
    "delay_ms": _delay_ms,
}
"""The effect of each key. `RUNTIMES` has the keys that a runtime takes, and their values."""
