"""``model_info``: the section in which OpenVINO's tools describe a model's preprocessing, labels and thresholds.

It is read as Model API applies it (open-edge-platform/model_api; DL Streamer's model_info_xml.md). The picture is
resized and padded in bytes, and mapped to 0 to 1 where ``intensity_mode`` says so. Its colours are reversed. Then
``mean_values`` are subtracted and it is divided by ``scale_values``, both in the model's order of colours.
``fit_to_window`` pads to the right and below, ``fit_to_window_letterbox`` on both sides. ``reverse_input_channels``
starts from the BGR that OpenCV reads; OTX and Geti train on RGB, and start from that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamer.detection.input_spec import Colour, Fit
from streamer.models.input_choice import BY_EMBEDDED, BYTES, Declared, declared
from streamer.models.labels import names_of

KEYS = (
    *("model_type", "labels", "label_info", "confidence_threshold", "iou_threshold", "nms_execute"),
    *("resize_type", "pad_value", "mean_values", "scale_values", "reverse_input_channels"),
    *("input_dtype", "intensity_mode", "intensity_max_value"),
    *("embedded_processing", "orig_height", "orig_width", "otx_version", "getitune_version"),
)
BY = "OpenVINO's model_info"
BY_OTX = "OpenVINO's model_info, as OTX and Geti write it"
LEFT_OUT = "what OpenVINO's model_info means by leaving it out"

FITS = {
    "standard": Fit.STRETCH,
    "fit_to_window": Fit.LETTERBOX_TOP_LEFT,
    "fit_to_window_letterbox": Fit.LETTERBOX,
    "crop": Fit.CROP,
}
OF_INPUT = (
    *("resize_type", "pad_value", "mean_values", "scale_values", "reverse_input_channels"),
    *("intensity_mode", "embedded_processing"),
)
"""The keys of preprocessing: if one of them is written, the others have the format's defaults."""
EMPTY_LABELS = ("otx_empty_lbl", "getitune_empty_lbl")
"""An entry before the labels of models with masks; their classes are counted from the label after it."""
YES, NO = ("yes", "true", "1"), ("no", "false", "0")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
LARGEST = {"u8": 255.0, "u16": 65535.0, "i16": 32767.0}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The values of the section; None or empty where it has none.

    ``words`` are the labels of ``labels``, with underscores for spaces; ``names`` are those of ``label_info``.
    ``declared`` are the parts of preprocessing that are written. ``left_out`` has the format's defaults for the
    others. ``unclear`` has, by part, the sentence about a value that streamer does not know. ``size`` is height,
    width.
    """

    words: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    family: str | None = None
    confidence: float | None = None
    iou: float | None = None
    nms_inside: bool | None = None
    size: tuple[int, int] | None = None
    declared: Declared = field(default_factory=dict)
    left_out: Declared = field(default_factory=dict)
    unclear: Mapping[str, str] = field(default_factory=dict)


def model_info_of(written: Mapping[str, str]) -> ModelInfo:
    """The section from its values as texts, by those of `KEYS` that are there. Invalid values are left out."""
    sides = [_share(written, key, most=1e5) for key in ("orig_height", "orig_width")]
    embedded = _yes(written.get("embedded_processing"))
    parts, unclear = _inside(written) if embedded else _outside(written)
    as_read, _ = _colour(written, reverse=False)
    left_out = declared(LEFT_OUT, colour=as_read, fit=Fit.STRETCH, pad=0, **BYTES)
    nms_requested = written.get("nms_execute")
    return ModelInfo(
        words=_without_empty(tuple(written.get("labels", "").split())),
        names=_label_info(written.get("label_info", "")),
        family=(written.get("model_type") or "").lower() or None,
        confidence=_share(written, "confidence_threshold"),
        iou=_share(written, "iou_threshold"),
        nms_inside=None if nms_requested is None else not _yes(nms_requested),
        size=(int(sides[0]), int(sides[1])) if embedded and sides[0] and sides[1] else None,
        declared=parts,
        left_out=left_out if any(key in written for key in OF_INPUT) else {},
        unclear=unclear,
    )


def _outside(written: Mapping[str, str]) -> tuple[Declared, dict[str, str]]:
    """The parts of preprocessing that have to be done before the model, and what is unclear."""
    parts: dict[str, tuple[Any, str]] = {}
    unclear: dict[str, str] = {}
    if reverse := written.get("reverse_input_channels", "").strip():
        parts["colour"] = _colour(written, reverse=_yes(reverse))
        if reverse.lower() not in (*YES, *NO):
            unclear["colour"] = f"its model_info asks for reverse_input_channels {reverse}"
    parts |= _fit(written, unclear)
    numbers = _numbers(written, unclear)
    return {**parts, **declared(BY, **numbers)}, unclear


def _inside(written: Mapping[str, str]) -> tuple[Declared, dict[str, str]]:
    """The parts for a model that Model API saved with its preprocessing inside: bytes, in its users' colour order."""
    unclear: dict[str, str] = {}
    colour, _ = _colour(written, reverse=False)
    return {**_fit(written, unclear), **declared(BY_EMBEDDED, colour=colour, **BYTES)}, unclear


def _colour(written: Mapping[str, str], *, reverse: bool) -> tuple[Colour, str]:
    from_rgb = "otx_version" in written or "getitune_version" in written
    return Colour.RGB if reverse is not from_rgb else Colour.BGR, BY_OTX if from_rgb else BY


def _fit(written: Mapping[str, str], unclear: dict[str, str]) -> dict[str, tuple[Any, str]]:
    parts: dict[str, tuple[Any, str]] = {}
    if resize := written.get("resize_type", "").strip().lower():
        if resize in FITS:
            parts["fit"] = FITS[resize], BY
        else:
            unclear["fit"] = f"its model_info asks for resize_type {resize}"
    if written.get("pad_value", "").strip():
        pad = _floats(written["pad_value"])
        if len(pad) == 1 and pad[0] in range(256):
            parts["pad"] = int(pad[0]), BY
        else:
            unclear["pad"] = f"its model_info asks for pad_value {written['pad_value']}"
    return parts


def _numbers(written: Mapping[str, str], unclear: dict[str, str]) -> dict[str, Any]:
    """The range, mean and scale. One value of ``mean_values`` or ``scale_values`` counts for all colours."""
    found: dict[str, Any] = {}
    for part, key in (("mean", "mean_values"), ("scale", "scale_values")):
        numbers = _floats(written.get(key))
        if len(numbers) in (1, 3) and not (part == "scale" and 0 in numbers):
            found[part] = tuple(numbers * (3 // len(numbers)))
        elif written.get(key, "").strip():
            unclear[part] = f"its model_info asks for {key} {written[key]}"
    mode = written.get("intensity_mode", "").strip()
    if mode == "scale_to_unit":
        dtype = written.get("input_dtype", "u8")
        most = _floats(written.get("intensity_max_value")) or [LARGEST.get(dtype, 255.0)]
        # The camera's bytes span the whole range of the type. Only for bytes may the range used be smaller.
        found["high"] = 255 / most[0] if dtype == "u8" and most[0] else 1.0
        if dtype != "u8" and most[0] != LARGEST.get(dtype):
            unclear["high"] = f"its model_info asks for pictures in {dtype} up to {most[0]:g}"
    elif mode not in ("", "none"):
        unclear["high"] = f"its model_info asks for intensity_mode {mode}"
    return {**BYTES, **found} if found else {}


def _floats(text: str | None) -> list[float]:
    return list(map(float, NUMBER.findall(text or "")))


def _share(written: Mapping[str, str], key: str, most: float = 1.0) -> float | None:
    numbers = _floats(written.get(key))
    return numbers[0] if len(numbers) == 1 and 0 <= numbers[0] <= most else None


def _yes(text: str | None) -> bool:
    return (text or "").strip().lower() in YES


def _label_info(text: str) -> tuple[str, ...] | None:
    """The names in Geti's JSON."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    names = names_of(document.get("label_names")) if isinstance(document, dict) else None
    return None if names is None else _without_empty(names) or None


def _without_empty(names: tuple[str, ...]) -> tuple[str, ...]:
    return names[1:] if names[:1] and names[0] in EMPTY_LABELS else names
