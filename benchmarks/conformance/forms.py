"""A form of every head: the inputs and outputs that the tiny model of it has, and what its metadata says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from streamer.detection.head import Hints
from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Port, Signature, channels_last
from streamer.models.metadata import metadata_of

NAMES = ("person", "bicycle", "car", "traffic light")
SIZE = (64, 64)
"""Height and width of the tiny models' pictures."""
BINS = 8
"""How many numbers the distribution of a box's side has."""
MODEL_ZOO = "person-vehicle-bike-detection-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The inputs and outputs of a head's model, and what its metadata says.

    The picture goes in first, ``others`` after it; an output has any number of rows where its shape has None.
    ``metadata`` is as Ultralytics writes it, ``model_info`` as OpenVINO's tools do. ``input`` is the preprocessing
    that the model's metadata requires; without one it is that which its head assumes. ``tried`` are the
    real models of ../shared/models that the head was tried with. ``in_cells``: each prediction that is not used is a
    box in its own cell, as a trained network's are; that distinguishes heads of one shape. ``model_api`` is the name
    of such a model in OpenVINO's Model API, where it has one.
    """

    outputs: tuple[Port, ...]
    picture: Port
    others: tuple[Port, ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    model_info: Mapping[str, str] = field(default_factory=dict)
    input: InputSpec | None = None
    tried: tuple[str, ...] = ()
    in_cells: bool = False
    model_api: str | None = None

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the pictures that go in."""
        height, width = self.picture.shape[-3:-1] if channels_last(self.picture) else self.picture.shape[-2:]
        assert height is not None
        assert width is not None
        return height, width

    @property
    def signature(self) -> Signature:
        """What streamer is to read of the model's file."""
        return Signature((self.picture, *self.others), self.outputs, self.input_size)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names in its metadata."""
        return metadata_of(self.metadata).names

    @property
    def hints(self) -> Hints:
        """What its metadata says of its head."""
        written = metadata_of(self.metadata)
        family = self.model_info.get("model_type", "").lower() or None
        return replace(written.hints(None if self.names is None else len(self.names)), family=family)


@dataclass(frozen=True, slots=True)
class Makes:
    """What all forms have in common: ``size`` (height, width) of the pictures, and ``names`` of the classes."""

    size: tuple[int, int]
    names: tuple[str, ...]

    @property
    def classes(self) -> int:
        """How many names there are."""
        return len(self.names)

    @property
    def named(self) -> Mapping[str, object]:
        """Metadata with nothing but names."""
        return {"names": dict(enumerate(self.names))}

    def picture(self, name: str = "images") -> Port:
        """The input for the picture, as most models have it."""
        return Port(name, (1, 3, *self.size))

    def cells(self, *strides: int) -> int:
        """How many cells the grids of these strides have together."""
        height, width = self.size
        return sum((height // stride) * (width // stride) for stride in strides)

    def ultralytics(self, **more: object) -> Mapping[str, object]:
        """Metadata as Ultralytics writes it."""
        return {"task": "detect", "stride": 32, "imgsz": list(self.size), "batch": 1, **self.named, **more}

    def of_strides(self, scores: str, sides: str, strides: Sequence[int]) -> tuple[Port, ...]:
        """An output of scores for the grid of each stride, then one of four distributions for each."""
        return tuple(
            Port(f"{name}{stride}", (1, self.cells(stride), columns))
            for name, columns in ((scores, self.classes), (sides, 4 * BINS))
            for stride in strides
        )


def rows(name: str, *columns: int, dtype: str = "float32") -> Port:
    """An output of any number of rows."""
    return Port(name, (None, *columns), dtype)


def _yolo(makes: Makes) -> dict[str, Form]:
    """One output with a prediction for each cell or anchor."""
    picture, classes, cells = makes.picture(), makes.classes, makes.cells(8, 16, 32)
    return {
        "boxes+classes": Form(
            picture=picture,
            outputs=(Port("output0", (1, 4 + classes, cells)),),
            metadata=makes.ultralytics(),
            tried=("yolov8n_int8_onnx", "yolov8n_int8_openvino", "yolov8n-seg_int8_onnx", "yolo11n-int8"),
            model_api="YOLO11",
        ),
        "boxes+classes+more": Form(
            picture=picture,
            outputs=(Port("output0", (1, 4 + classes + 51, cells)),),
            metadata=makes.ultralytics(task="pose", kpt_shape=[17, 3]),
            tried=("yolov8n-pose_int8_openvino",),
        ),
        "boxes+objectness+classes": Form(
            picture=picture,
            outputs=(Port("output0", (1, 3 * cells, 5 + classes)),),
            metadata=makes.ultralytics(),
            tried=("yolov5n-coco.onnx",),
            model_api="YOLOv5",
        ),
        "yolox:grid+objectness+classes": Form(
            picture=picture,
            outputs=(Port("output", (1, cells, 5 + classes)),),
            metadata=makes.named,
            tried=("yolox_nano",),
            model_api="YOLOX",
        ),
        "yolox:boxes+objectness+classes": Form(
            picture=picture,
            outputs=(Port("output", (1, cells, 5 + classes)),),
            metadata=makes.named,
            in_cells=True,
        ),
    }


def _end_to_end(makes: Makes) -> dict[str, Form]:
    """One output with a row for each object that was chosen, and its form in four outputs."""
    picture, table = makes.picture(), Port("output0", (1, 300, 6))
    return {
        "boxes+confidence+class": Form(
            picture=picture,
            outputs=(table,),
            metadata=makes.ultralytics(end2end=True),
            tried=("yolo26n_int8_openvino",),
        ),
        "nms:boxes+confidence+class": Form(
            picture=picture, outputs=(table,), metadata=makes.ultralytics(args={"nms": True})
        ),
        "rtdetr:boxes+confidence+class": Form(
            picture=picture, outputs=(table,), metadata=makes.ultralytics(head="RTDETRDecoder")
        ),
        "rtdetr:boxes+classes": Form(
            picture=picture,
            outputs=(Port("output0", (1, 300, 4 + makes.classes)),),
            metadata=makes.ultralytics(head="RTDETRDecoder"),
        ),
        "nms:picture+boxes+class+confidence": Form(
            picture=picture, outputs=(rows("output", 7),), metadata=makes.named
        ),
        "nms:picture+boxes+confidence+class": Form(
            picture=picture, outputs=(rows("graph2_flat_predictions", 7),), metadata=makes.named
        ),
        "nms:count+boxes+confidence+class": Form(
            picture=picture,
            outputs=(
                Port("num_dets", (1, 1), "int32"),
                Port("det_boxes", (1, 100, 4)),
                Port("det_scores", (1, 100)),
                Port("det_classes", (1, 100), "int32"),
            ),
            metadata=makes.named,
        ),
    }


def _boxes_and_labels(makes: Makes) -> dict[str, Form]:
    """Boxes that were chosen, and their labels and scores beside them or in an output of their own."""
    picture, labels = makes.picture(), rows("labels", dtype="int64")
    three = (Port("bboxes", (1, 100, 4)), Port("labels", (1, 100), "int64"), Port("scores", (1, 100)))
    return {
        "ssd": Form(
            picture=picture,
            outputs=(Port("detection_out", (1, 1, 200, 7)),),
            tried=("person-detection-retail-0013", f"{MODEL_ZOO}2000"),
            model_api="SSD",
        ),
        "boxes+labels": Form(
            picture=picture, outputs=(rows("boxes", 5), labels), tried=(f"{MODEL_ZOO}2004",), model_api="SSD"
        ),
        "dets+labels": Form(
            picture=picture,
            outputs=(Port("dets", (1, None, 5)), Port("labels", (1, None), "int64")),
            tried=("rtmdet_nano_nms",),
            model_api="SSD",
        ),
        "boxes+labels in shares": Form(picture=picture, outputs=(rows("boxes", 5), labels), model_api="SSD"),
        "boxes+labels+scores": Form(picture=picture, outputs=three, model_api="SSD"),
        "boxes+labels+scores in pixels": Form(
            picture=picture, outputs=(rows("boxes", 4), labels, rows("scores")), model_api="SSD"
        ),
        "tensorflow": Form(
            picture=Port("input_tensor", (1, *makes.size, 3), "uint8"),
            outputs=(
                Port("detection_boxes", (1, 100, 4)),
                Port("detection_classes", (1, 100)),
                Port("detection_scores", (1, 100)),
            ),
        ),
    }


def _boxes_and_scores(makes: Makes) -> dict[str, Form]:
    """A box and the scores of all classes for each cell or prior."""
    picture, classes, cells = makes.picture(), makes.classes, makes.cells(8, 16, 32)
    boxes, scores = Port("boxes", (1, cells, 4)), Port("scores", (1, cells, classes))
    return {
        "boxes+scores": Form(picture=picture, outputs=(scores, boxes)),
        "boxes+scores in pixels": Form(picture=picture, outputs=(boxes, scores)),
        "offsets+scores+priors": Form(
            picture=picture,
            outputs=(
                Port("mbox_loc", (1, 4 * cells)),
                Port("mbox_conf_flatten", (1, classes * cells)),
                Port("mbox_priorbox", (1, 2, 4 * cells)),
            ),
        ),
        "nanodet-strides": Form(
            picture=picture,
            outputs=makes.of_strides("cls_pred_stride_", "dis_pred_stride_", (8, 16, 32)),
            tried=("nanodet_m_320",),
        ),
        "picodet": Form(picture=picture, outputs=makes.of_strides("transpose_", "linear_", (8, 16, 32, 64))),
        "nanodet": Form(
            picture=picture, outputs=(Port("output", (1, cells, classes + 4 * BINS)),), metadata=makes.named
        ),
        "nanodet-plus": Form(
            picture=picture,
            outputs=(Port("output", (1, makes.cells(8, 16, 32, 64), classes + 4 * BINS)),),
            metadata=makes.named,
        ),
    }


def _transformers(makes: Makes) -> dict[str, Form]:
    """A box for each of some hundred queries."""
    picture, classes = makes.picture(), makes.classes
    detections, count = rows("multiclass_nms3_0.tmp_0", 6), Port("multiclass_nms3_0.tmp_2", (1,), "int32")
    return {
        "logits+boxes": Form(
            picture=picture, outputs=(Port("logits", (1, 300, classes)), Port("pred_boxes", (1, 300, 4)))
        ),
        "logits+boxes+nothing": Form(
            picture=picture, outputs=(Port("logits", (1, 100, classes + 1)), Port("pred_boxes", (1, 100, 4)))
        ),
        "dets+logits": Form(
            picture=picture, outputs=(Port("dets", (1, 300, 4)), Port("labels", (1, 300, classes + 1)))
        ),
        "labels+boxes+scores of a size": Form(
            picture=picture,
            others=(Port("orig_target_sizes", (1, 2), "int64"),),
            outputs=(Port("labels", (1, 300), "int64"), Port("boxes", (1, 300, 4)), Port("scores", (1, 300))),
            tried=("deimv2_atto_int8",),
        ),
        "class+confidence+boxes": Form(
            picture=makes.picture("image"), others=(Port("scale_factor", (1, 2)),), outputs=(detections, count)
        ),
        "class+confidence+boxes of a shape": Form(
            picture=makes.picture("image"),
            others=(Port("im_shape", (1, 2)), Port("scale_factor", (1, 2))),
            outputs=(Port("reshape2_95.tmp_0", (300, 6)), Port("tile_3.tmp_0", (1,), "int32")),
        ),
    }


def forms_of(size: tuple[int, int], names: Sequence[str]) -> Mapping[str, Form]:
    """The form of each head, by its name, for pictures of ``size`` (height, width) and classes of these names."""
    makes = Makes(size, tuple(names))
    families = (_yolo, _end_to_end, _boxes_and_labels, _boxes_and_scores, _transformers)
    return {name: form for family in families for name, form in family(makes).items()}


FORMS = forms_of(SIZE, NAMES)
"""Those of the tiny models."""
