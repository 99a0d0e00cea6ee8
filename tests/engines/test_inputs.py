"""A model gets the input that its preprocessing declares, in every engine, layout and type."""

from __future__ import annotations

from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.ports import Port, Signature
from streamer.detection.preprocess import Preprocess, preprocess_for
from streamer.engines.base import Engine
from streamer.engines.isolated import IsolatedEngine
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.models.model import Model
from tests.onnx_weights import write_echo

SIZE = (48, 64)
LAYOUTS = [(1, 3, *SIZE), (3, *SIZE), (1, *SIZE, 3), (*SIZE, 3)]
ENGINES = ["onnx", "onnx,shared=on", "onnx,shared=on,preprocess=graph", "onnx,preprocess=graph", "onnxruntime"]
IMAGE = np.random.default_rng(1).integers(0, 256, (90, 70, 3), np.uint8)


def echo(tmp_path: Path, shape: tuple[int, ...], dtype: str, spec: InputSpec) -> Model:
    """A model that puts out its input; its head needs no other one."""
    path = write_echo(tmp_path / "echo.onnx", shape, dtype)
    signature = Signature((Port("images", shape, dtype),), (Port("same", shape, dtype),), SIZE)
    return Model("echo", path, {"onnx": path}, {"onnx": "0"}, signature, "boxes+classes", (), spec, {})


def seen(engine: Engine, model: Model, preprocess: str) -> npt.NDArray[Any]:
    """The input that the model gets for `IMAGE`, after a frame of another shape."""
    with closing(engine):
        engine.read()
        engine.compile()
        how = parse_spec(preprocess).preprocess
        used = preprocess_for(how, model.signature.picture_port, SIZE, model.input)
        request = engine.requests[0]
        for image in (IMAGE[:, :30], IMAGE):
            used(image, request.input)
            found = np.array(request.infer()[0])
    return found


def wanted(model: Model) -> npt.NDArray[Any]:
    port = model.signature.picture_port
    tensor = np.zeros([side or 0 for side in port.shape], port.dtype)
    Preprocess(port, SIZE, model.input)(IMAGE, tensor)
    return tensor


def spec_for(dtype: str, fit: Fit) -> InputSpec:
    if dtype == "uint8":
        return InputSpec(colour=Colour.BGR, high=255, fit=fit, pad=9)
    return InputSpec(low=-1, high=1, mean=(0.1, 0.2, 0.3), scale=(0.5, 1.5, 2.5), fit=fit, pad=9)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("shape", LAYOUTS)
@pytest.mark.parametrize("spec", ENGINES)
def test_every_engine_hands_the_same_picture_to_the_model(
    tmp_path: Path, spec: str, shape: tuple[int, ...], dtype: str
) -> None:
    if spec == "onnxruntime" and not find_spec("onnxruntime"):
        pytest.skip("ONNX Runtime is not installed: pip install 'streamer[onnxruntime]'")
    # OpenVINO would compute numbers of 16 bits in bf16 on a CPU that has it.
    engine = f"{spec},precision=f32" if spec.startswith("onnx,") or spec == "onnx" else spec
    fit = list(Fit)[(len(shape) + len(dtype)) % len(Fit)]
    model = echo(tmp_path, shape, dtype, spec_for(dtype, fit))
    found = seen(open_engine(parse_spec(engine), model), model, engine)
    assert found.dtype == dtype
    assert found.shape == shape
    assert np.allclose(found, wanted(model), rtol=1e-3 if dtype == "float16" else 1e-5, atol=1e-5)


@pytest.mark.parametrize(("shape", "dtype"), [((*SIZE, 3), "uint8"), ((3, *SIZE), "float16")])
def test_so_does_an_isolated_engine(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    model = echo(tmp_path, shape, dtype, spec_for(dtype, Fit.CROP))
    spec = parse_spec("onnx,shared=on,preprocess=graph")
    found = seen(IsolatedEngine(spec, model, 60.0), model, spec.spec)
    assert np.allclose(found, wanted(model), rtol=1e-3, atol=1e-5)
