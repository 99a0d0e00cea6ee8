"""Quantize the model: `python models/street/quantize.py`.

Frames of streets that training drew from, none of them held out, calibrate model.onnx; int8.xml and int8.bin come
of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from heldout import training_street  # noqa: E402

from streamer.models.find import find_model  # noqa: E402
from streamer.models.quantize import quantize  # noqa: E402

SAMPLES = 300


def make_int8(folder: Path) -> None:
    """int8.xml and int8.bin from model.onnx, in the same directory."""
    images = [training_street(number).frame(number * 31, 30.0)[0] for number in range(SAMPLES)]
    model = find_model(str(folder / "model.onnx"))
    quantize(model.path, images, SAMPLES, model, folder / "int8.xml")


if __name__ == "__main__":
    make_int8(HERE)
