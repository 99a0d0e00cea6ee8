"""Describes what a refused model looks like, with the mend: a function per kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, combinations

from streamer.detection.ports import Port, Signature

Known = Callable[[Signature], str | None]
"""Returns the name and families of a model's head; None for an unknown head."""
Likeness = Callable[[Signature, Known], str | None]
"""Returns what a model looks like and the mend, as the end of a sentence; None when it is not of this kind."""
SIZES = (640, 320, 416, 1280, 512, 480, 960, 1024, 800, *range(128, 1921, 32))
"""The sides of square inputs that are tried, in pixels, the usual ones first."""
MOST_OUTPUTS = 8
"""With more outputs the pairs are not tried."""
COARSEST = 8
"""A map of the picture has at least one number for so many pixels in each direction."""
FEWEST_MAPS = 2
NO_BATCH = 3
"""The rank of a map of several channels without a batch."""
BOX = 4


def likeness(model: Signature, known: Known) -> str | None:
    """The kind of a model without a known head, and the mend, as the end of a sentence; None if no kind fits."""
    return next((text for row in ROWS if (text := row(model, known)) is not None), None)


def several_at_a_time(model: Signature, known: Known) -> str | None:
    """A known head with a batch of several pictures."""
    batches = {port.shape[0] for port in model.outputs if len(port.shape) > 1}
    several = [side for side in batches if side is not None and side > 1]
    if len(several) != 1 or (name := known(of_one(model))) is None:
        return None
    return f"but {name} for {several[0]} images at a time: export it again with batch=1"


def of_one(model: Signature) -> Signature:
    """The model with a batch of one."""
    outputs = [_with(port, (1, *port.shape[1:])) if len(port.shape) > 1 else port for port in model.outputs]
    return replace(model, outputs=tuple(outputs))


def of_another_size(model: Signature, known: Known) -> str | None:
    """A known head for pictures of another size."""
    for side in SIZES:
        if (name := known(replace(model, input_size=(side, side)))) is not None:
            height, width = model.input_size
            return (
                f"but {name} for pictures of {side}x{side}, and takes such of {width}x{height}: export it again for "
                "one size"
            )
    return None


def with_others_beside(model: Signature, known: Known) -> str | None:
    """A known head with additional outputs."""
    if not 1 < len(model.outputs) <= MOST_OUTPUTS:
        return None
    for some in chain(combinations(model.outputs, 1), combinations(model.outputs, 2)):
        if len(some) < len(model.outputs) and (name := known(replace(model, outputs=some))) is not None:
            more = ", ".join(port.name or "one without a name" for port in model.outputs if port not in some)
            return f"but {name} with more outputs ({more}): export it with the others alone"
    return None


def turned_over(model: Signature, known: Known) -> str | None:
    """A known head with rows and columns exchanged."""
    turned = [_with(port, (*port.shape[:-2], *reversed(port.shape[-2:]))) for port in model.outputs]
    if len(model.outputs) != 1 or (name := known(replace(model, outputs=tuple(turned)))) is None:
        return None
    return f"but {name} with rows and columns exchanged: export it again as its maker does"


def classifier(model: Signature, known: Known) -> str | None:
    """A classifier: one number per class, and no boxes."""
    if len(model.outputs) != 1:
        return None
    shape = model.outputs[0].shape
    sides = [side for side in shape if side != 1]
    if len(sides) != 1 or sides[0] is None or not (len(shape) <= 2 or shape[-1] == shape[-2] == 1):
        return None
    return f"but a classifier of {sides[0]:,} classes: give a detection model"


def maps_of_grids(model: Signature, known: Known) -> str | None:
    """The grids of a YOLO or an SSD that are not decoded into boxes."""
    sizes = [_map_of(port, model.input_size) for port in model.outputs]
    if len(sizes) < FEWEST_MAPS or None in sizes or len(set(sizes)) < FEWEST_MAPS:
        return None
    return (
        f"but a detector without its last layer, which makes boxes of {len(sizes)} grids: export it again with that "
        "(Ultralytics: yolo export; YOLOv5 and YOLOv7: export.py with --grid or without --train)"
    )


def number_per_pixel(model: Signature, known: Known) -> str | None:
    """Maps of the picture: semantic segmentation, depth or heat."""
    sizes = [_map_of(port, model.input_size) for port in model.outputs]
    if len(set(sizes)) != 1 or sizes[0] is None:
        return None
    height, width = sizes[0]
    if height * COARSEST < model.input_size[0] or width * COARSEST < model.input_size[1]:
        return None
    return (
        f"but a model that gives {width}x{height} numbers for every picture and no boxes, as for semantic "
        "segmentation, depth or heat maps: give one that puts out boxes, which models for instance segmentation do"
    )


def boxes_alone(model: Signature, known: Known) -> str | None:
    """Boxes without scores."""
    if len(model.outputs) != 1 or not 2 <= len(model.outputs[0].shape) <= 3 or model.outputs[0].shape[-1] != BOX:
        return None
    return "but puts out boxes without scores: export it with its scores too"


ROWS: Sequence[Likeness] = (
    several_at_a_time,
    classifier,
    boxes_alone,
    maps_of_grids,
    number_per_pixel,
    with_others_beside,
    of_another_size,
    turned_over,
)
"""The first one that fits is reported."""


def _with(port: Port, shape: tuple[int | None, ...]) -> Port:
    return replace(port, shape=shape)


def _map_of(port: Port, input_size: tuple[int, int]) -> tuple[int, int] | None:
    """Height and width of an output that is a map of the picture, as large or a whole number of times smaller."""
    if len(port.shape) < NO_BATCH:
        return None
    for height, width in (port.shape[-2:], port.shape[-3:-1]):
        if height is None or width is None or min(height, width) <= 1:
            continue
        if input_size[0] % height == input_size[1] % width == 0 and input_size[0] // height == input_size[1] // width:
            return height, width
    return None
