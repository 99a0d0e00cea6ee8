"""Heads with NMS inside: seven columns, and the four outputs of TensorRT's NMS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamer.detection.head import By, Hints
from streamer.detection.heads import head_of, recognise, settle
from streamer.detection.ports import Port, Signature
from streamer.errors import ModelError

SIZE = (64, 64)
YOLOV7, YOLO_NAS = "nms:picture+boxes+class+confidence", "nms:picture+boxes+confidence+class"
COUNTED = "nms:count+boxes+confidence+class"


def signature(*outputs: Port) -> Signature:
    return Signature((Port("images", (1, 3, *SIZE)),), outputs, SIZE)


def seven(name: str = "output") -> Signature:
    return signature(Port(name, (None, 7)))


def test_a_trial_determines_the_order_of_class_and_confidence() -> None:
    rows = np.array([[0, 1, 2, 30, 40, 3, 0.75], [0, 5, 5, 9, 9, 0, 0.5]], np.float32)
    found = recognise(seven(), Hints())
    assert settle(found, seven(), None, [rows]).name == YOLOV7
    assert settle(found, seven(), None, [rows[:, [0, 1, 2, 3, 4, 6, 5]]]).name == YOLO_NAS
    with pytest.raises(ModelError, match="holds no class numbers"):
        settle(found, seven(), None, [rows + np.float32(0.5)])


def test_the_name_that_supergradients_gives_determines_it_without_a_trial() -> None:
    found = recognise(seven("graph2_flat_predictions"), Hints())
    assert (found.kind.name, found.by, found.others) == (YOLO_NAS, By.NAMES, ())


@pytest.mark.parametrize(("name", "order"), [(YOLOV7, [3, 0.75]), (YOLO_NAS, [0.75, 3])])
def test_rows_of_no_picture_are_none(name: str, order: list[float]) -> None:
    rows = np.array([[0, 1, 2, 30, 40, *order], [-1, 1, 2, 30, 40, *order]], np.float32)
    head = head_of(name, seven(), None)
    assert [values.tolist() for values in head.decode([rows], 0.25)] == [[[1, 2, 30, 40]], [0.75], [3]]
    assert head.scores([rows]).tolist() == [0.75]
    assert "NMS is inside" in head.notes()[0]


@pytest.mark.parametrize("shape", [(1, 9, 7), (9, 8), (7,)])
def test_seven_columns_are_those_of_a_table_without_a_batch(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="not a detector"):
        recognise(signature(Port("flat_predictions", shape)), Hints())


@pytest.mark.parametrize("names", [
    ("num_dets", "det_boxes", "det_scores", "det_classes"),
    ("graph2_num_predictions", "graph2_pred_boxes", "graph2_pred_scores", "graph2_pred_classes"),
    ("num_dets", "boxes", "scores", "labels"),
])  # fmt: skip
@pytest.mark.parametrize("labels", ["int32", "int64", "float32"])
@pytest.mark.parametrize("batch", [(1,), ()])
def test_only_as_many_as_are_counted_are_found(names: tuple[str, ...], labels: str, batch: tuple[int, ...]) -> None:
    outputs: list[Any] = [
        np.full((*batch, 1), 1, np.int32),
        np.full((*batch, 3, 4), [1, 2, 30, 40], np.float32),
        np.full((*batch, 3), 0.75, np.float32),
        np.full((*batch, 3), 5, labels),
    ]
    outputs, names = outputs[::-1], names[::-1]
    model = signature(*(Port(name, out.shape, out.dtype.name) for name, out in zip(names, outputs, strict=True)))
    found = recognise(model, Hints())
    assert (found.kind.name, found.by) == (COUNTED, By.NAMES)
    head = settle(found, model, None, outputs)
    assert [values.tolist() for values in head.decode(outputs, 0.25)] == [[[1, 2, 30, 40]], [0.75], [5]]


@pytest.mark.parametrize("count", [-1, 4])
def test_an_impossible_count_is_refused(count: int) -> None:
    ports = Port("num_dets", (1, 1), "int32"), Port("det_boxes", (1, 3, 4)), Port("det_scores", (1, 3))
    model = signature(*ports, Port("det_classes", (1, 3), "int32"))
    outputs = [np.zeros([side or 1 for side in port.shape], port.dtype) for port in model.outputs]
    outputs[0][:] = count
    with pytest.raises(ModelError, match=rf"it counts \[{count}\] detections and has room for 3"):
        settle(recognise(model, Hints()), model, None, outputs)
    assert len(head_of(COUNTED, model, None).decode(outputs, -1.0)[1]) == max(0, min(count, 3))
