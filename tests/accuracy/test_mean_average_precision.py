"""Mean average precision: cases worked out by hand, and that pycocotools keeps quiet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.accuracy.mean_average_precision import FrameTruth, evaluate
from streamer.detection.detections import Detections, no_detections
from tests.runs import ROOT, environment

Box = tuple[float, float, float, float]

LEFT: Box = (0, 0, 100, 100)
RIGHT: Box = (300, 0, 400, 100)


def truth(*objects: tuple[Box, int], crowd: tuple[Box, ...] = ()) -> FrameTruth:
    boxes = [box for box, _ in objects] + list(crowd)
    return FrameTruth(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array([class_id for _, class_id in objects] + [0] * len(crowd), np.int64),
        np.array([False] * len(objects) + [True] * len(crowd), np.bool_),
    )


def found(*objects: tuple[Box, float, int]) -> Detections:
    return Detections(
        np.array([box for box, _, _ in objects], np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in objects], np.float32),
        np.array([class_id for _, _, class_id in objects], np.int32),
    )


def test_boxes_that_are_the_truth_score_one() -> None:
    result = evaluate([truth((LEFT, 0), (RIGHT, 3))], [found((LEFT, 0.9, 0), (RIGHT, 0.3, 3))], [0, 3])
    assert result.objects == 2
    assert result.map50 == pytest.approx(1)
    assert result.map50_95 == pytest.approx(1)
    assert {class_id: one.objects for class_id, one in result.per_class.items()} == {0: 1, 3: 1}


def test_an_overlap_counts_at_the_thresholds_up_to_it() -> None:
    # 74 of 100 columns: right at 0.50, 0.55, 0.60, 0.65 and 0.70, five of the ten thresholds.
    result = evaluate([truth((LEFT, 0))], [found(((0, 0, 74, 100), 0.9, 0))], [0])
    assert result.map50 == pytest.approx(1)
    assert result.map50_95 == pytest.approx(0.5)


def test_precision_over_recall_is_that_of_a_case_worked_out_by_hand() -> None:
    # Two objects; in the order of confidence: right, wrong, right. Precision is 1 up to a recall of 0.5, which are 51
    # of the 101 recalls, and 2/3 for the 50 beyond.
    boxes = found((LEFT, 0.9, 0), ((600, 0, 700, 100), 0.8, 0), (RIGHT, 0.7, 0))
    result = evaluate([truth((LEFT, 0), (RIGHT, 0))], [boxes], [0])
    assert result.map50 == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert result.map50_95 == pytest.approx(result.map50)


def test_the_mean_is_over_the_classes_that_there_are() -> None:
    result = evaluate([truth((LEFT, 0), (RIGHT, 1))], [found((LEFT, 0.9, 0))], [0, 1, 2])
    assert result.map50 == pytest.approx(0.5)
    assert result.per_class[1].ap50 == 0
    assert (result.per_class[2].objects, result.per_class[2].ap50, result.per_class[2].ap50_95) == (0, None, None)


def test_detections_of_other_classes_do_not_count() -> None:
    result = evaluate([truth((LEFT, 0))], [found((RIGHT, 0.95, 7), (LEFT, 0.9, 0))], [0])
    assert result.map50 == pytest.approx(1)


def test_within_a_crowd_nothing_is_wrong() -> None:
    boxes = found((RIGHT, 0.95, 0), (LEFT, 0.9, 0))
    assert evaluate([truth((LEFT, 0))], [boxes], [0]).map50 == pytest.approx(0.5)
    result = evaluate([truth((LEFT, 0), crowd=(RIGHT,))], [boxes], [0])
    assert result.objects == 1
    assert result.map50 == pytest.approx(1)


def test_a_detection_serves_the_frame_it_was_found_in() -> None:
    result = evaluate([truth((LEFT, 0)), truth((RIGHT, 0))], [found((RIGHT, 0.9, 0)), found((LEFT, 0.9, 0))], [0])
    assert result.map50 == 0


def test_nothing_found_is_zero_and_no_object_is_no_figure() -> None:
    assert evaluate([truth((LEFT, 0))], [no_detections()], [0]).map50 == 0
    result = evaluate([truth()], [found((LEFT, 0.9, 0))], [0])
    assert (result.objects, result.map50, result.map50_95) == (0, None, None)
    assert evaluate([], [], [0]).map50 is None


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    evaluate([truth((LEFT, 0))], [found((LEFT, 0.9, 0))], [0])
    assert capfd.readouterr() == ("", "")


def test_pycocotools_is_loaded_only_when_something_is_evaluated() -> None:
    modules = "streamer.accuracy.mean_average_precision, streamer.accuracy.ground_truth"
    code = f"import sys, {modules}; assert 'pycocotools' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment())


def test_the_evaluation_of_the_bundled_model_is_made_with_it(tmp_path: Path) -> None:
    """Three of its held-out frames, with the truth itself as detections: sizes and classes are distinguished."""
    code = (
        "import sys; sys.path.insert(0, 'models/street')\n"
        "import numpy as np, evaluate\n"
        "from streamer.detection.detections import Detections\n"
        "_, truths = evaluate.render(3, False)\n"
        "found = [Detections(t.boxes.astype(np.float32), np.ones(len(t), np.float32), t.class_id.astype(np.int32))"
        " for t in truths]\n"
        "result = evaluate.score(truths, found)\n"
        "parts = [*result['per_class'].values(), *result['per_size'].values()]\n"
        "assert result['objects'] == sum(len(t) for t in truths) > 10\n"
        "assert all(part['AP50-95'] == 1 for part in parts if part['objects']), result\n"
        "assert sum(part['objects'] for part in result['per_size'].values()) == result['objects']\n"
        "assert result['mAP50'] == result['mAP50-95'] == 1\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
