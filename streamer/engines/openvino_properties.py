"""OpenVINO's properties: requested ones are checked, and the effective ones are read back."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import Any

from streamer.engines.config import CONVOLUTIONS, PRECISION, THREADS
from streamer.engines.variants import EngineSpec
from streamer.errors import UsageError
from streamer.vendors.openvino_quiet import ov

RECORDED = (
    "PERFORMANCE_HINT",
    PRECISION,
    THREADS,
    "NUM_STREAMS",
    "ENABLE_CPU_PINNING",
    "EXECUTION_MODE_HINT",
)
"""The properties that are read back as the effective configuration."""

CORE_PROPERTIES = ("CACHE_DIR", "CACHE_MODE", "ENABLE_MMAP")
"""Properties that OpenVINO's core takes for every device and no device lists."""

SHORT = {"bfloat16": "bf16", "float32": "f32", "float16": "f16", "int8_t": "i8", "uint8_t": "u8"}
PRIMITIVES = {"fp32": "f32", "fp16": "f16", "u8": "i8"}
"""Some devices' names of precisions, at the end of a primitive's name."""
PRECISIONS = ("bf16", "f16", "f32", "i8", "dynamic", "undefined")
"""The values that devices take for the precision; each device takes some of them."""
WRONG_VALUE = ("Wrong value", "Invalid value", "Could not read", "Unsupported value", "unsupported value")
"""Parts of OpenVINO's message for a value that a property does not take."""
UNLIKE_PYTHON = ("LOG_LEVEL",)
"""Properties whose values have other names in OpenVINO's texts than in Python."""
LISTS_VALUES = ("Expected", "Supported")
"""Words in OpenVINO's reasons that list the valid values themselves."""


def check_properties(core: ov.Core, spec: EngineSpec) -> None:
    """Raises UsageError for a property that does not exist, and for a precision that no device has.

    AUTO ignores an unknown property without an error, and OpenVINO before 2026 an unknown precision.
    """
    known = set(CORE_PROPERTIES)
    for device in {spec.device, "CPU"} if spec.device == "AUTO" else {spec.device}:
        supported: Any = core.get_property(device, "SUPPORTED_PROPERTIES")
        known |= {name for name, access in supported.items() if access != "RO"}
    for key, value in spec.config:
        if key == PRECISION and value not in PRECISIONS:
            named = f"{', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}"
            raise UsageError(f"engine {spec.spec}: {key} takes {named}")
        if key not in known:
            near = ", ".join(difflib.get_close_matches(key, sorted(known)) or RECORDED)
            raise UsageError(
                f"engine {spec.spec}: OpenVINO has no property {key} for {spec.device}; among those it has: {near}"
            )


def is_wrong_value(error: Exception) -> bool:
    """OpenVINO refused a property's value."""
    return any(words in str(error) for words in WRONG_VALUE)


def reason_of(error: Exception) -> str:
    """The last line with a word in OpenVINO's message; those before it are places in its source."""
    lines = [line.strip() for line in str(error).splitlines() if any(c.isalnum() for c in line)]
    return lines[-1] if lines else type(error).__name__


def right_values(core: ov.Core, spec: EngineSpec, reason: str) -> str:
    """The valid values of the property that ``reason`` names, as the end of a message; empty where they are unknown.

    AUTO refuses a value without listing the valid ones.
    """
    for key, _ in spec.config:
        if key not in reason or key in UNLIKE_PYTHON or any(word in reason for word in LISTS_VALUES):
            continue
        try:
            value: Any = core.get_property(spec.device, key)
        except RuntimeError:  # not every property can be read
            continue
        names = ["true", "false"] if isinstance(value, bool) else list(getattr(type(value), "__members__", ()))
        if names:
            return f"; it takes {', '.join(names[:-1])} or {names[-1]}"
    return ""


def effective(compiled: ov.CompiledModel) -> dict[str, str]:
    """The effective configuration of a compiled model: its properties in `RECORDED`, as text."""
    supported: Any = compiled.get_property("SUPPORTED_PROPERTIES")
    found: dict[str, Any] = {}
    if "DEVICE_PROPERTIES" in supported:
        # AUTO keeps each device's own configuration one level down.
        per_device: Any = compiled.get_property("DEVICE_PROPERTIES")
        for properties in per_device.values():
            found.update(properties)
    found.update({key: compiled.get_property(key) for key in RECORDED if key in supported})
    config = {key: _plain(found[key]) for key in RECORDED if key in found}
    if convolutions := _convolutions(compiled):
        config[CONVOLUTIONS] = convolutions
    return config


def _convolutions(compiled: ov.CompiledModel) -> str:
    """How many convolutions run in each precision, most first, as in ``60 i8, 3 bf16``; empty if unknown."""
    try:
        operations = compiled.get_runtime_model().get_ops()
    except RuntimeError:  # not every device shows its graph
        return ""
    counted: Counter[str] = Counter()
    for operation in operations:
        about = operation.get_rt_info()
        if "layerType" in about and about["layerType"].astype(str) == "Convolution":
            name = about["primitiveType"].astype(str).rpartition("_")[2].lower()
            counted[PRIMITIVES.get(name, name)] += 1
    return ", ".join(f"{count} {precision}" for precision, count in counted.most_common())


def _plain(value: Any) -> str:
    """A property's value as text: <Type: 'bfloat16'> is bf16, PerformanceMode.LATENCY is LATENCY."""
    if isinstance(value, ov.Type):
        name = str(value.get_type_name())
        return SHORT.get(name, name)
    text = str(value)
    return text.rpartition(".")[2] if text.count(".") == 1 and not text[0].isdigit() else text
