"""Preprocessing as part of an OpenVINO model: frames go in as a camera delivers them, 8 bits a channel, BGR."""

from __future__ import annotations

import numpy as np

from streamer.vendors.openvino_quiet import ov


def with_preprocessing(model: ov.Model) -> ov.Model:
    """The model with an input of 1 x height x width x 3 uint8, BGR: colour, scale and layout are its own now.

    The order of the steps is worth 3 % of an inference on the CPU: colours swap while there is a byte for each, and
    scaling comes before the change of layout, in one pass, by a multiplication. The graph compiler then leaves the
    layout as it is, because convolutions want the channels last themselves. A division (the step ``scale``), or the
    layout first, makes it move every pixel twice.
    """
    prepared = ov.preprocess.PrePostProcessor(model)
    frame = prepared.input(0)
    frame.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    frame.model().set_layout(ov.Layout("NCHW"))
    steps = frame.preprocess()
    steps.reverse_channels().convert_element_type(ov.Type.f32).custom(_scale).convert_layout(ov.Layout("NCHW"))
    built: ov.Model = prepared.build()
    return built


def _scale(value: ov.Output) -> ov.Output:
    scaled: ov.Output = ov.opset13.multiply(value, ov.opset13.constant(np.float32(1 / 255))).output(0)
    return scaled
