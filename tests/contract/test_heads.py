"""The contract of a head: a model of it, in any format and engine, gives the boxes of what a picture shows.

The models are those of `benchmarks.conformance`: each sees an object only where the picture reaches it as the model
asks, so that a wrong order of colours, range or place finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks.conformance import scene
from benchmarks.conformance.decoders import ENGINES, streamer, verdict
from benchmarks.conformance.files import Files, write_files
from benchmarks.conformance.forms import FORMS, Form
from streamer.detection.heads import HEADS
from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import geometry
from streamer.engines.null import fixed_prediction
from streamer.engines.spec_parser import parse_spec
from streamer.frame import Frame
from streamer.models.files import KINDS
from streamer.models.find import find_model
from streamer.models.model import Model
from streamer.studies.offline_detector import Opened
from tests.runs import SHARED, needs_shared

MODELS = SHARED / "models"
KNOWN = [name for name in HEADS if name in FORMS]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made of the models goes with them."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))


def test_every_head_has_a_form() -> None:
    assert [name for name in HEADS if name not in FORMS] == []


def test_a_head_is_untried_as_long_as_no_real_model_of_it_was_tried() -> None:
    assert {name for name in KNOWN if HEADS[name].untried} == {name for name in KNOWN if not FORMS[name].tried}


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize(("name", "real"), [(name, real) for name in KNOWN for real in FORMS[name].tried])
def test_the_real_models_that_it_was_tried_with_have_such_a_head(name: str, real: str) -> None:
    found = [path for path in (MODELS / real).parent.glob(f"{Path(real).name}*") if path.suffix in KINDS]
    found += [path for path in (MODELS / real).rglob("*") if path.suffix in KINDS]
    assert {find_model(str(path)).head for path in found} == {name}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Files]:
    """The model of a head, made once."""
    made: dict[str, Files] = {}

    def files(name: str) -> Files:
        if name not in made:
            made[name] = write_files(name, FORMS[name], tmp_path_factory.mktemp("head"))
        return made[name]

    return files


def decoded(files: Files, form: Form, engine: str) -> str:
    """What comes of the kit's picture."""
    found = streamer(engine)(files, scene.picture(form.input_size))
    return verdict(found, scene.objects(form.input_size))


@pytest.mark.parametrize("name", KNOWN)
def test_a_model_of_it_is_recognised_and_decoded_by_every_engine(name: str, tiny: Callable[[str], Files]) -> None:
    form, files = FORMS[name], tiny(name)
    for path in (files.onnx, files.ir):
        model = find_model(str(path))
        assert model.head == name
        assert [port.dtype for port in model.signature.outputs] == [port.dtype for port in form.outputs]
    # AUTO takes the longest to compile, and runs the same plugin.
    engines = [engine for engine in ENGINES if engine != "ir-auto-shared"]
    if not find_spec("onnxruntime"):
        engines.remove("onnxruntime")
    assert {engine: decoded(files, form, engine) for engine in engines} == dict.fromkeys(engines, "right")


@pytest.mark.parametrize("name", KNOWN)
def test_its_model_finds_nothing_in_a_picture_whose_colours_are_swapped(
    name: str, tiny: Callable[[str], Files]
) -> None:
    swapped = np.ascontiguousarray(scene.picture(FORMS[name].input_size)[..., ::-1])
    assert len(streamer("ir")(tiny(name), swapped)) == 0


def in_few_bits(form: Form) -> Form:
    """The same with outputs of halves, and labels in 32 bits."""
    fewer = {"float32": "float16", "int64": "int32"}
    outputs = (replace(port, dtype=fewer.get(port.dtype, port.dtype)) for port in form.outputs)
    return replace(form, outputs=tuple(outputs))


def by_rows_in_bytes(form: Form) -> Form:
    """The same for pictures of height x width x 3 bytes."""
    batch = form.picture.shape[:-3]
    return replace(form, picture=replace(form.picture, shape=(*batch, *form.input_size, 3), dtype="uint8"))


Change = Callable[[Form], Form]
CHANGED = [
    (name, change)
    for name, change in product(KNOWN, (in_few_bits, by_rows_in_bytes))
    if change(FORMS[name]) != FORMS[name]
]


@pytest.mark.parametrize(("name", "change"), CHANGED)
def test_other_types_and_layouts_change_nothing(name: str, change: Change, tmp_path: Path) -> None:
    files = write_files(name, change(FORMS[name]), tmp_path)
    model = find_model(str(files.ir))
    assert model.head == name
    # Whoever wrote the metadata meant a float's range: a model of bytes scales them itself.
    spec = scene.of_bytes(model.input) if change is by_rows_in_bytes else model.input
    assert seen(replace(model, input=spec), "ir") == "right"


def seen(model: Model, engine: str) -> str:
    """What comes of the kit's picture."""
    with Opened(parse_spec(f"{engine},precision=f32"), model) as opened:
        found = opened.detect(Frame(0, 0, Fraction(0), scene.picture(model.input_size)))
    return verdict(found, scene.objects(model.input_size))


SPECS = [
    InputSpec(fit=Fit.LETTERBOX_TOP_LEFT, colour=Colour.BGR, high=255.0),
    InputSpec(fit=Fit.STRETCH, mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225)),
    InputSpec(fit=Fit.CROP, colour=Colour.BGR, low=-1.0),
    InputSpec(fit=Fit.LETTERBOX, high=255.0, mean=(103.53, 116.28, 123.675), scale=(57.4, 57.1, 58.4), pad=0),
]


@pytest.mark.parametrize("engine", ["ir", "ir-graph", "ir-auto-shared"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.fit.value)
def test_a_picture_reaches_the_model_as_it_asks_in_every_engine(spec: InputSpec, engine: str, tmp_path: Path) -> None:
    form = replace(FORMS["boxes+classes"], input=spec)
    model = find_model(str(write_files("boxes+classes", form, tmp_path).ir))
    assert seen(replace(model, input=spec), engine) == "right"
    for other in SPECS:
        assert (seen(replace(model, input=other), engine) == "right") == (other is spec)


@pytest.mark.parametrize("name", KNOWN)
def test_the_null_engine_sees_three_objects_in_a_model_of_it(name: str, tiny: Callable[[str], Files]) -> None:
    model = find_model(str(tiny(name).ir))
    height, width = model.input_size
    place = geometry(width, height, model.input_size, Fit.STRETCH)
    found = Postprocess(model.decoder(), 0.5, 0.5, model.names)(fixed_prediction(model), place)
    assert len(found) == 3
