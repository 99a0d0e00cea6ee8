"""Memory that is shared or lent: never written while a request reads it, never read once it is given back."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

import streamer
from streamer.detection.head import Outputs
from streamer.detection.input_spec import Fit
from streamer.detection.layouts.cells import STRIDES, cells
from streamer.detection.layouts.yolo import Classes, EndToEnd, Objectness, YoloHead
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import geometry, preprocess_for
from streamer.engines.base import Engine, Input
from streamer.engines.null import fixed_prediction
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import EngineSpec
from streamer.models.find import find_model
from streamer.models.model import Model
from streamer.run.finished import Run
from streamer.schedule.schedule import Pace
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from tests.detectors import model_with, signature
from tests.poisoned import Broken, PoisonedEngine, PoisonedRequest
from tests.quantized import clip_of_the_street
from tests.runs import needs_bundled

FRAMES = 8
PACED_FRAMES = 16
"""Priming waits for the first inferences, to know how long one takes."""


def play(engine: str, out: Path, *, fps: Pace = "max", frames: int = FRAMES) -> Run:
    """The first frames of the bundled clip on real threads; each is delivered."""
    settings = Settings(
        engine=engine, fps=fps, queue=frames, frames=frames, warmup=1, video=Video.NONE, chart=False, out=out
    )  # fmt: skip
    return streamer.replay(clip_of_the_street(), settings)


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> list[PoisonedEngine]:
    """From now on runs are poisoned; the engines that they open."""
    opened: list[PoisonedEngine] = []

    def opening(spec: EngineSpec, model: Model) -> Engine:
        opened.append(PoisonedEngine(open_engine(spec, model)))
        return opened[-1]

    monkeypatch.setattr("streamer.run.run.open_engine", opening)
    return opened


def detections(run: Run) -> str:
    """All that a run found, to the last digit, in the order in which it came out."""
    assert run.failure is None
    count = run.manifest["frames"]["scheduled"]
    assert [record.frame for record in run.ledger if record.written is not None] == list(range(count))
    text = (run.directory / "detections.csv").read_text(encoding="utf-8")
    assert "nan" not in text
    frames = [int(line.split(",")[1]) for line in text.splitlines()[1:]]
    assert frames == sorted(frames), "results left their order"
    assert len(set(frames)) == count, "frames without any object show nothing"
    return text


@pytest.mark.slow
@needs_bundled
@pytest.mark.parametrize(
    "engine",
    [
        *("ir-throughput,requests=2", "ir-auto-shared,requests=3", "ir,requests=2,threads=1", "ir-graph,requests=2"),
        "onnx,shared=on",
    ],
)
def test_poisoned_memory_changes_no_result_while_several_requests_are_under_way(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clean = play(engine, tmp_path / "clean")
    engines: list[PoisonedEngine] = request.getfixturevalue("poisoned")
    poisoned = play(engine, tmp_path / "poisoned")
    assert detections(poisoned) == detections(clean)
    (opened,) = engines
    assert len(opened.requests) == parse_spec(engine).requests
    # Each was warmed up by two inferences; the answer of the first was looked at for signs of damage once more.
    used = [one.inferences - 2 - (number == 0) for number, one in enumerate(opened.requests)]
    assert sum(used) == FRAMES
    assert all(used), "a request was never used: the test shows nothing"


@pytest.mark.timing
@needs_bundled
@pytest.mark.parametrize("unprimed", ["ir-auto-shared", "ir-graph,requests=2"])
def test_priming_never_runs_beside_a_detection_on_the_same_request_and_changes_no_result(
    unprimed: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clean = play(unprimed, tmp_path / "clean", frames=PACED_FRAMES)
    engines: list[PoisonedEngine] = request.getfixturevalue("poisoned")
    # Slow enough that there is room for priming on a busy machine, and on one without 16-bit arithmetic, too.
    period_ms = max(200, round(8 * (clean.manifest["service_ms"]["p50"] or 0)))
    primed = play(f"{unprimed},prime=on", tmp_path / "primed", fps=Fraction(1000, period_ms), frames=PACED_FRAMES)
    assert detections(primed) == detections(clean)
    priming = primed.manifest["priming"]
    assert priming is not None
    assert priming["inferences"] > 0, "nothing was primed: the test shows nothing"
    assert priming["frames_primed"] + priming["frames_without_room"] == PACED_FRAMES
    assert priming["cpu_s"] > 0
    (opened,) = engines
    warmed_up = 2 * len(opened.requests) + 5 + 1  # the last looks for signs of damage
    assert sum(one.inferences for one in opened.requests) == warmed_up + PACED_FRAMES + priming["inferences"]


@pytest.mark.parametrize("how", ["ir-auto-shared", "ir-graph", "ir-threads,shared=on", "ir-throughput,requests=2"])
def test_preprocess_writes_into_the_tensors_own_memory(how: str, tiny_model: Path) -> None:
    model, spec = find_model(str(tiny_model)), parse_spec(how)
    with closing(open_engine(spec, model)) as engine:
        engine.read()
        engine.compile()
        preprocess = preprocess_for(spec.preprocess, model.signature.picture_port, model.input_size, model.input)
        for request in engine.requests:
            tensor = request._request.get_input_tensor()  # type: ignore[attr-defined]
            preprocess(np.full((64, 64, 3), 255, np.uint8), request.input)
            assert tensor.data.min() == tensor.data.max() == (255 if tensor.data.dtype == np.uint8 else 1)
            request.infer()
            now = request._request.get_input_tensor()  # type: ignore[attr-defined]
            assert now.data.ctypes.data == request.input.ctypes.data, "inferring moved the input elsewhere"


CELLS = cells((64, 96), STRIDES[0])
FORMS = {Objectness: (1, 3 * CELLS, 9), Classes: (1, 8, CELLS), EndToEnd: (1, 300, 6)}


@pytest.mark.parametrize("head", FORMS)
def test_detections_keep_nothing_of_the_prediction_that_they_were_made_from(head: type[YoloHead]) -> None:
    model = model_with(head, signature(FORMS[head]), "abcd")
    outputs = fixed_prediction(model)
    place = geometry(96, 64, (64, 96), Fit.LETTERBOX)
    found = Postprocess(model.decoder(), 0.25, 0.5, model.names)(outputs, place)
    assert len(found) == 3
    before = (found.xyxy.copy(), found.confidence.copy(), found.class_id.copy())
    for output in outputs:
        output[:] = np.nan
    for now, then in zip((found.xyxy, found.confidence, found.class_id), before, strict=True):
        assert np.array_equal(now, then)


class Slow:
    """A request whose inference lasts until ``end`` is set."""

    def __init__(self) -> None:
        self.input: Input = np.zeros((1, 3, 2, 2), np.float32)
        self.begun, self.end = Event(), Event()

    def infer(self) -> Outputs:
        self.begun.set()
        assert self.end.wait(60)
        return [np.ones((1, 6, 1), np.float32), np.ones((1, 2), np.int64)]


def test_the_poison_catches_who_writes_while_a_request_reads() -> None:
    slow = Slow()
    caught: list[Broken] = []

    def infer() -> None:
        try:
            PoisonedRequest(slow).infer()
        except Broken as error:
            caught.append(error)

    thread = Thread(target=infer)
    thread.start()
    slow.begun.wait(60)
    slow.input[0, 0, 0, 0] = 1
    slow.end.set()
    thread.join()
    assert [str(error) for error in caught] == ["the input was written while it was read"]


def test_the_poison_catches_two_inferences_on_one_request_at_once() -> None:
    slow = Slow()
    request = PoisonedRequest(slow)
    thread = Thread(target=request.infer)
    thread.start()
    slow.begun.wait(60)
    with pytest.raises(Broken, match="at once"):
        request.infer()
    slow.end.set()
    thread.join()


def test_the_poison_spoils_an_answer_once_there_is_a_next_and_an_input_once_it_is_read() -> None:
    slow = Slow()
    slow.end.set()
    request = PoisonedRequest(slow)
    boxes, labels = request.infer()
    assert (boxes == 1).all()
    assert (labels == 1).all()
    assert np.isnan(request.input).all()
    request.input[:] = 0
    assert all((output == 1).all() for output in request.infer())
    assert np.isnan(boxes).all()
    assert (labels != 1).all()
