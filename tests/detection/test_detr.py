"""The heads of detection transformers, and PaddleDetection's with all that comes after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from streamer.detection.detections import Detections
from streamer.detection.head import By, Head, Hints, Object, Outputs
from streamer.detection.heads import head_of, recognise, settle
from streamer.detection.input_spec import Fit
from streamer.detection.layouts.detr import Detr, DetrOrNothing, OfSize, RfDetr
from streamer.detection.layouts.paddle import PaddleDetr, PaddleNms
from streamer.detection.ports import Port, Signature
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import geometry
from streamer.errors import ModelError
from streamer.models.openvino_metadata import openvino_facts
from tests.runs import SHARED, needs_shared

SIZE = (64, 96)
"""Height and width of the input."""
SEEN = (Object(20, 20, 10, 8, 0.5, 2), Object(60, 30, 20, 30, 0.9, 0))
BOXES = [[50, 15, 70, 45], [15, 16, 25, 24]]
"""The boxes of `SEEN`, the more confident first."""
PICTURE = Port("images", (1, 3, *SIZE))
SHAPE, SCALE = Port("im_shape", (1, 2)), Port("scale_factor", (1, 2))


def model(*outputs: Port, beside: Sequence[Port] = ()) -> Signature:
    """A model of these outputs, which takes a picture and ``beside``."""
    return Signature((PICTURE, *beside), outputs, SIZE)


def sized(labels: str = "int64", size: str = "int64") -> Signature:
    """As RT-DETR's own repository exports it."""
    outputs = Port("labels", (1, 30), labels), Port("boxes", (1, 30, 4)), Port("scores", (1, 30))
    return model(*outputs, beside=[Port("orig_target_sizes", (1, 2), size)])


KINDS = {
    "logits": (Detr, model(Port("logits", (1, 30, 5)), Port("pred_boxes", (1, 30, 4)))),
    "pred_logits": (Detr, model(Port("pred_boxes", (1, None, 4)), Port("pred_logits", (1, None, 5)))),
    "half": (Detr, model(Port("logits", (1, 30, 5), "float16"), Port("pred_boxes", (1, 30, 4), "float16"))),
    "no batch": (Detr, model(Port("logits", (30, 5)), Port("pred_boxes", (30, 4)))),
    "nothing": (DetrOrNothing, model(Port("logits", (1, 30, 5)), Port("pred_boxes", (1, 30, 4)))),
    "rf-detr": (RfDetr, model(Port("dets", (1, 30, 4)), Port("labels", (1, 30, 4)))),
    "rf-detr turned": (RfDetr, model(Port("labels", (None, None, 4)), Port("dets", (None, None, 4)))),
    "sized": (OfSize, sized()),
    "sized i32": (OfSize, sized("int32", "int32")),
    "sized f32": (OfSize, sized("float32", "float32")),
    "sized no batch": (
        OfSize,
        model(
            *(Port("labels", (None,), "int64"), Port("boxes", (None, 4)), Port("scores", (None,))),
            beside=[Port("orig_target_sizes", (1, 2), "int64")],
        ),
    ),
    "paddle": (PaddleNms, model(Port("nms_0", (None, 6)), Port("nms_2", (None,), "int32"), beside=[SCALE])),
    "paddle shape": (PaddleDetr, model(Port("bbox", (30, 6)), Port("num", (1,), "int32"), beside=[SHAPE, SCALE])),
}
EACH = pytest.mark.parametrize(("kind", "signature"), KINDS.values(), ids=KINDS)


def found_by(head: Head, outputs: Outputs) -> Detections:
    """The detections in a frame of the input's own size."""
    return Postprocess(head, 0.25, 0.5)(outputs, geometry(SIZE[1], SIZE[0], SIZE, Fit.STRETCH))


def without_rows(port: Port) -> npt.NDArray[np.generic]:
    """An output of a picture in which nothing is, of a model that puts out no more rows than it finds."""
    sides = [0 if side in (30, None) else side for side in port.shape]
    batch = [1] * (len(sides) == 3)
    return np.zeros([*batch, *sides[len(batch) :]], port.dtype)


@EACH
def test_a_head_is_recognised_by_its_names_and_made_again_by_its_own(kind: type[Head], signature: Signature) -> None:
    found = recognise(signature, Hints())
    assert found.by is By.NAMES
    answer = kind(signature).example([])
    assert type(settle(found, signature, None, answer)) is kind
    assert type(head_of(kind.name, signature, None)) is kind


@EACH
def test_its_outputs_are_decoded_to_pixels_of_the_input(kind: type[Head], signature: Signature) -> None:
    head = kind(signature)
    found = found_by(head, head.example(SEEN))
    assert np.allclose(found.xyxy, BOXES, atol=0.1)
    assert found.confidence.tolist() == pytest.approx([0.9, 0.5], abs=2e-3)
    assert found.class_id.tolist() == [0, 2]
    assert [values.dtype.name for values in (found.xyxy, found.confidence)] == ["float32", "float32"]


@EACH
def test_nothing_and_no_rows_at_all_are_an_empty_result(kind: type[Head], signature: Signature) -> None:
    head = kind(signature)
    nothing = head.example([])
    no_rows = [without_rows(port) for port in signature.outputs]
    assert len(found_by(head, nothing)) == len(found_by(head, no_rows)) == 0


@EACH
def test_outputs_of_nan_are_decoded_to_nothing(kind: type[Head], signature: Signature) -> None:
    head = kind(signature)
    answer = [np.full_like(output, np.nan) if output.dtype.kind == "f" else output for output in head.example(SEEN)]
    assert len(found_by(head, answer)) == 0


@EACH
def test_scores_lie_between_0_and_1(kind: type[Head], signature: Signature) -> None:
    head = kind(signature)
    scores = head.scores(head.example(SEEN))
    assert 0 <= scores.min() <= 0.01
    assert scores.max() == pytest.approx(0.9, abs=2e-3)


def test_the_last_column_of_rf_detr_is_no_class() -> None:
    signature = KINDS["rf-detr"][1]
    head = RfDetr(signature)
    answer = head.example(SEEN)
    answer[1][..., -1] = 20
    assert head.classes == 3
    assert found_by(head, answer).class_id.tolist() == [0, 2]


def test_mmdeploys_dets_and_labels_are_not_rf_detrs() -> None:
    labels = Port("labels", (1, 30), "int64")
    assert RfDetr.recognise(model(Port("dets", (1, 30, 5)), labels), Hints()) is None
    assert RfDetr.recognise(model(Port("dets", (1, 30, 5)), Port("labels", (1, 30))), Hints()) is None
    assert RfDetr.recognise(model(Port("dets", (1, 30, 4)), replace(labels, shape=(1, 30, 4))), Hints()) is None


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_a_black_picture_distinguishes_a_class_for_nothing_from_one_more_class(columns: int) -> None:
    signature = model(Port("logits", (1, 30, columns)), Port("pred_boxes", (1, 30, 4)))
    boxes = np.full((1, 30, 4), 0.5, np.float32)
    logits = np.full((1, 30, columns), -4, np.float32)
    logits[..., -1] = -2  # the surest of all, and yet not seen
    found = recognise(signature, Hints())
    assert type(settle(found, signature, None, [logits, boxes])) is Detr
    logits[..., -1] = 6
    kind = DetrOrNothing if columns > 1 else Detr
    assert type(settle(found, signature, None, [logits, boxes])) is kind


def test_a_class_is_weighed_against_nothing_and_the_others() -> None:
    signature = model(Port("logits", (1, 2, 3)), Port("pred_boxes", (1, 2, 4)))
    logits = np.log(np.array([[[0.6, 0.1, 0.3], [0.15, 0.05, 0.8]]], np.float32)) + 7
    boxes = np.full((1, 2, 4), 0.5, np.float32)
    found = found_by(DetrOrNothing(signature), [logits, boxes])
    assert found.confidence.tolist() == pytest.approx([0.6])
    assert DetrOrNothing(signature).classes == 2


def test_boxes_in_pixels_are_not_mistaken_for_shares_of_the_picture() -> None:
    signature = KINDS["logits"][1]
    answer = Detr(signature).example(SEEN)
    answer[1][0, 0] = 20, 20, 10, 8
    with pytest.raises(ModelError, match="not in shares of the picture"):
        settle(recognise(signature, Hints()), signature, None, answer)


def test_labels_that_are_no_numbers_of_classes_are_refused() -> None:
    answer = OfSize(sized("float32")).example(SEEN)
    answer[0][0, 0] = 0.5
    assert "no numbers of classes" in str(OfSize(sized("float32")).fits_answer(answer))
    paddle = KINDS["paddle"][1]
    answer = PaddleNms(paddle).example(SEEN)
    answer[0][0, 0] = 0.5
    assert "no numbers of classes" in str(PaddleNms(paddle).fits_answer(answer))


def test_a_model_with_an_input_for_words_has_no_such_head() -> None:
    outputs = Port("logits", (1, 30, 5)), Port("pred_boxes", (1, 30, 4))
    words = model(*outputs, beside=[Port("input_ids", (1, 16), "int64")])
    with pytest.raises(ModelError, match="not a detector that streamer knows"):
        recognise(words, Hints())


def other_input(signature: Signature, name: str) -> npt.NDArray[np.generic]:
    """The input of this name beside the picture."""
    at = signature.input(name)
    assert at is not None
    return settle_by_name(signature).other_inputs()[at]


def settle_by_name(signature: Signature) -> Head:
    """The head, without a trial."""
    return recognise(signature, Hints()).kind(signature)


@pytest.mark.parametrize("dtype", ["int64", "int32", "float32"])
def test_the_second_input_gets_the_size_of_the_first_width_first(dtype: str) -> None:
    given = other_input(sized(size=dtype), "orig_target_sizes")
    assert given.tolist() == [[96, 64]]
    assert given.dtype.name == dtype


def test_paddles_shape_is_that_of_the_input_height_first_and_its_scale_1() -> None:
    signature = KINDS["paddle shape"][1]
    assert other_input(signature, "im_shape").tolist() == [[64, 96]]
    assert other_input(signature, "scale_factor").tolist() == [[1, 1]]


def test_the_picture_is_everywhere_in_a_mask_of_its_pixels() -> None:
    outputs = Port("logits", (1, 30, 5)), Port("pred_boxes", (1, 30, 4))
    masked = model(*outputs, beside=[Port("pixel_mask", (1, 2, 3), "int64")])
    assert other_input(masked, "pixel_mask").tolist() == [[[1, 1, 1], [1, 1, 1]]]


def test_rows_of_paddles_with_a_class_below_0_are_left_out() -> None:
    signature = KINDS["paddle"][1]
    answer = PaddleNms(signature).example(SEEN)
    answer[0][0, 0] = -1
    assert found_by(PaddleNms(signature), answer).class_id.tolist() == [0]


def test_a_model_for_masks_as_well_says_that_they_are_left_out() -> None:
    outputs = Port("dets", (1, 30, 4)), Port("labels", (1, 30, 4))
    segmentation = model(*outputs, Port("4245", (1, 30, 16, 24)))
    head = settle_by_name(segmentation)
    assert type(head) is RfDetr
    assert "masks are left out" in head.notes()[0]
    assert settle_by_name(model(*outputs)).notes() == []
    assert found_by(head, head.example(SEEN)).class_id.tolist() == [0, 2]


@needs_shared
def test_a_real_deimv2_takes_the_size_and_has_no_batch() -> None:
    path = SHARED / "models" / "deimv2_atto_int8" / "deimv2_atto_coco_int8.onnx"
    head = settle_by_name(openvino_facts(path, "onnx", None).signature)
    assert type(head) is OfSize
    assert [given.tolist() for given in head.other_inputs().values()] == [[[320, 320]]]
