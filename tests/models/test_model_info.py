"""OpenVINO's model_info: each key as Model API applies it, from IR and ONNX, and what Geti and OTX write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.errors import ModelError
from streamer.models.describe import describe
from streamer.models.input_choice import ASSUMED, BY_USER
from streamer.models.input_option import as_option, parse_input
from streamer.models.metadata import ULTRALYTICS
from streamer.models.model import Model
from streamer.models.model_info import BY, BY_OTX, LEFT_OUT, model_info_of
from streamer.models.openvino_metadata import openvino_facts
from tests.onnx_weights import write_echo
from tests.runs import SHARED, needs_shared
from tests.tiny_models import CELLS, raw, write_ir

pytestmark = pytest.mark.extras

GETI = SHARED / "models" / "geti_xml_only"


def model_with(tmp_path: Path, *, given: str = "", **info: str) -> Model:
    """A YOLO with these keys in its model_info."""
    path = write_ir(tmp_path / "made.xml", raw(1, 6, CELLS), info=info)
    return describe(path, trust=False, given=parse_input(given) if given else {})[0]


@pytest.mark.parametrize(
    ("resize", "fit"),
    [
        ("standard", Fit.STRETCH),
        ("fit_to_window", Fit.LETTERBOX_TOP_LEFT),
        ("fit_to_window_letterbox", Fit.LETTERBOX),
        ("crop", Fit.CROP),
        ("FIT_TO_WINDOW", Fit.LETTERBOX_TOP_LEFT),
    ],
)
def test_each_resize_type_is_a_fit(tmp_path: Path, resize: str, fit: Fit) -> None:
    model = model_with(tmp_path, resize_type=resize, pad_value="114")
    assert (model.input.fit, model.input.pad) == (fit, 114)
    assert (model.input_by["fit"], model.input_by["pad"]) == (BY, BY)


@pytest.mark.parametrize(
    ("info", "colour", "by"),
    [
        ({"reverse_input_channels": "YES"}, Colour.RGB, BY),
        ({"reverse_input_channels": "True"}, Colour.RGB, BY),
        ({"reverse_input_channels": "False"}, Colour.BGR, BY),
        ({"reverse_input_channels": "False", "otx_version": "2.4.2"}, Colour.RGB, BY_OTX),
        ({"reverse_input_channels": "True", "otx_version": "2.4.2"}, Colour.BGR, BY_OTX),
        ({"reverse_input_channels": "False", "getitune_version": "1.0"}, Colour.RGB, BY_OTX),
        ({"resize_type": "standard"}, Colour.BGR, LEFT_OUT),
        ({"resize_type": "standard", "otx_version": "2.4.2"}, Colour.RGB, LEFT_OUT),
    ],
)
def test_reversed_channels_start_from_the_colours_that_its_tools_feed(
    tmp_path: Path, info: dict[str, str], colour: Colour, by: str
) -> None:
    model = model_with(tmp_path, **info)
    assert (model.input.colour, model.input_by["colour"]) == (colour, by)


@pytest.mark.parametrize(
    ("info", "numbers"),
    [
        ({"scale_values": "255"}, "range=0..255,scale=255"),
        ({"scale_values": "[255.0]"}, "range=0..255,scale=255"),
        ({"mean_values": "123.675 116.28 103.53"}, "range=0..255,mean=123.675,116.28,103.53"),
        (
            {
                "mean_values": "0.485 0.456 0.406",
                "scale_values": "0.229 0.224 0.225",
                "intensity_mode": "scale_to_unit",
            },
            "range=0..1,mean=0.485,0.456,0.406,scale=0.229,0.224,0.225",
        ),
        ({"intensity_mode": "scale_to_unit", "intensity_max_value": "127.5"}, "range=0..2"),
        ({"intensity_mode": "scale_to_unit", "input_dtype": "u16"}, "range=0..1"),
        ({"mean_values": "", "scale_values": "", "intensity_mode": "none"}, "range=0..255"),
        ({"resize_type": "standard"}, "range=0..255"),
    ],
)
def test_its_numbers_are_those_of_bytes_unless_it_maps_them_to_0_to_1(
    tmp_path: Path, info: dict[str, str], numbers: str
) -> None:
    shown = as_option(model_with(tmp_path, **info).input)
    assert f"{numbers}," in shown.partition(",")[2]


def test_labels_and_thresholds_alone_declare_nothing_of_the_input(tmp_path: Path) -> None:
    model = model_with(tmp_path, labels="fox red_hare", confidence_threshold="0.65", iou_threshold="0.7")
    assert model.names == ("fox", "red hare")
    assert (model.confidence, model.iou) == (0.65, 0.7)
    assert model.input == InputSpec()
    assert set(model.input_by.values()) == {ASSUMED}


@pytest.mark.parametrize(
    ("info", "named", "mend"),
    [
        ({"resize_type": "fill"}, "resize_type fill", "stretch"),
        ({"mean_values": "1 2", "resize_type": "crop"}, "mean_values 1 2", "range=0..255"),
        ({"scale_values": "0"}, "scale_values 0", "range=0..255"),
        ({"intensity_mode": "window"}, "intensity_mode window", "range=0..1"),
        (
            {"intensity_mode": "scale_to_unit", "input_dtype": "u16", "intensity_max_value": "4095"},
            "u16",
            "range=0..1",
        ),
        ({"pad_value": "300"}, "pad_value 300", "pad=0"),
        ({"pad_value": "abc"}, "pad_value abc", "pad=0"),
        ({"mean_values": "nan nan nan"}, "mean_values nan", "range=0..255"),
        ({"scale_values": "none"}, "scale_values none", "range=0..255"),
        ({"reverse_input_channels": "maybe"}, "reverse_input_channels maybe", "rgb"),
    ],
)
def test_what_streamer_does_not_know_is_refused_unless_the_user_declares_it(
    tmp_path: Path, info: dict[str, str], named: str, mend: str
) -> None:
    with pytest.raises(ModelError, match=r"^made\.xml: its model_info asks for .*--input") as refused:
        model_with(tmp_path, **info)
    assert named in str(refused.value)
    assert BY_USER in model_with(tmp_path, given=mend, **info).input_by.values()


def test_getis_names_are_those_of_its_json(tmp_path: Path) -> None:
    names = '{"label_names": ["traffic_led light", "No Object"], "label_ids": ["1", "2"], "label_groups": []}'
    model = model_with(tmp_path, labels="traffic_led_light No_Object", label_info=names)
    assert model.names == ("traffic_led light", "No Object")


@pytest.mark.parametrize("written", ["{", "[]", '{"label_names": 3}', "null"])
def test_json_that_has_no_names_leaves_the_labels(tmp_path: Path, written: str) -> None:
    assert model_with(tmp_path, labels="fox hare", label_info=written).names == ("fox", "hare")


def test_the_label_of_nothing_before_the_classes_of_a_model_with_masks_is_no_class() -> None:
    info = model_info_of({"labels": "otx_empty_lbl fox", "label_info": '{"label_names": ["otx_empty_lbl", "fox"]}'})
    assert (info.words, info.names) == (("fox",), ("fox",))


def test_an_onnx_file_has_it_too(tmp_path: Path) -> None:
    info = {"labels": "fox hare", "resize_type": "crop", "scale_values": "58 57 57", "model_type": "SSD"}
    path = write_echo(
        tmp_path / "made.onnx",
        (1, 3, 64, 64),
        "float32",
        metadata={f"model_info {key}": value for key, value in info.items()},
    )
    metadata = openvino_facts(path, "onnx", None).metadata
    assert (metadata.names, metadata.family) == (("fox", "hare"), "ssd")
    assert metadata.input["fit"] == (Fit.CROP, BY)
    assert metadata.input["scale"] == ((58.0, 57.0, 57.0), BY)


def test_what_it_leaves_out_comes_from_ultralytics_metadata_beside(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("task: detect\nstride: 32\nnames: {0: fox, 1: hare}\n")
    model = model_with(tmp_path, reverse_input_channels="True", scale_values="255")
    assert (model.input.fit, model.input_by["fit"]) == (Fit.LETTERBOX, ULTRALYTICS)
    assert (model.input.scale, model.input_by["scale"]) == ((255.0, 255.0, 255.0), BY)


def test_the_users_declaration_goes_before_the_makers(tmp_path: Path) -> None:
    model = model_with(tmp_path, given="bgr,crop", reverse_input_channels="True", scale_values="255")
    assert as_option(model.input) == "bgr,range=0..255,scale=255,crop"
    assert [model.input_by[part] for part in ("colour", "fit", "scale")] == [BY_USER, BY_USER, BY]


def test_nms_execute_means_that_nms_is_left_to_the_users(tmp_path: Path) -> None:
    def inside(**info: str) -> Any:
        return model_info_of(info).nms_inside

    assert (inside(nms_execute="True"), inside(nms_execute="False"), inside()) == (False, True, None)


@needs_shared
@pytest.mark.parametrize(
    ("name", "shown", "labels", "confidence"),
    [
        (
            "pallet_defect",
            "rgb,range=0..255,mean=123.675,116.28,103.53,scale=58.395,57.12,57.375,letterbox,pad=114",
            ("box", "shipping label", "defect", "No Object"),
            0.65,
        ),
        (
            "hb1no",
            "rgb,range=0..255,scale=255,stretch",
            ("person_run", "person_walk", "traffic_led light", "traffic_green light", "car", "crosswalk"),
            0.325,
        ),
    ],
)
def test_what_geti_wrote_into_real_models_is_read_whole(
    tmp_path: Path, name: str, shown: str, labels: tuple[str, ...], confidence: float
) -> None:
    real = (GETI / name / "model.xml").read_text(encoding="utf-8")
    section = re.search(r"<model_info>.*</model_info>", real, re.DOTALL)
    assert section is not None
    # Its weights are not available: the section is put into a model that has some.
    path = write_ir(tmp_path / "made.xml", raw(1, 4 + len(labels), CELLS), info={"labels": "none"})
    text = re.sub(r"<model_info>.*</model_info>", lambda _: section[0], path.read_text("utf-8"), flags=re.DOTALL)
    path.write_text(text, encoding="utf-8")
    model, facts = describe(path, trust=False)
    assert as_option(model.input) == shown
    assert model.names == labels
    assert model.confidence == pytest.approx(confidence)
    assert (model.iou, facts.metadata.family) == (0.5, "ssd")
    assert ASSUMED not in model.input_by.values()
