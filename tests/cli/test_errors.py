"""Bad input, and runs that end badly: one line, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import pytest

import streamer
from streamer.detection.head import Outputs
from streamer.engines.null import NullEngine, NullRequest, fixed_prediction
from streamer.engines.registry import unavailable
from streamer.engines.variants import VARIANTS, EngineSpec
from streamer.errors import EngineError
from streamer.models.find import find_model
from streamer.models.model import Model
from streamer.pipeline.drop_policy import Policy
from streamer.settings.settings import Settings
from streamer.verification import verify
from tests import runs
from tests.runs import Finished, check_conserved, environment, manifest, playable_times, read_until, rows, video_times
from tests.verified import runs_verified
from tests.videos import FASTSTART, cut_off, write_video

Replay = Callable[..., Finished]
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 frames, 25 a second."""
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 100)


@pytest.fixture
def replay(clip: Path, tiny_model: Path, tmp_path: Path) -> Replay:
    """``streamer replay`` of the clip with the null engine; a later option overrides an earlier one."""

    def replay(*more: str | Path, source: str | Path = clip) -> Finished:
        usual = (
            "--engine",
            "null",
            "--model",
            tiny_model,
            "--fps",
            "500",
            "--warmup",
            "0",
            "--no-chart",
            "--out",
            "run",
        )
        return runs.streamer("replay", source, *usual, *more, cwd=tmp_path)

    return replay


def no_such_option(name: str) -> str:
    """The error of click for an unknown option, in the words of its version."""
    return click.NoSuchOption(name).format_message().rstrip(".")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--engine", "warp"], "unknown engine 'warp': the engines are " + ", ".join(VARIANTS)),
        (["--engine", "ir,speed=9"], "engine ir has no 'speed': it takes threads"),
        (["--engine", "ir-auto-shared,NUM_STREAM=1"], "NUM_STREAMS"),
        (["--fps", "0"], "--fps 0: give 'source', 'max' or frames per second above 0"),
        (["--fps", "-3"], "--fps -3: give"),
        (["--fps", "abc"], "--fps abc: give"),
        (["--queue", "-1"], "--queue -1: give 0 or more"),
        (["--model", "nosuch.onnx"], "no such model: nosuch.onnx; give 'street' or the path of a .onnx, .xml or .pt"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_ends_the_process_with_one_line_and_exit_code_2(
    options: list[str], says: str, replay: Replay, tmp_path: Path
) -> None:
    done = replay(*options)
    assert says in done.error
    assert (done.code, done.out) == (2, "")
    assert not list(tmp_path.iterdir()), "something was written"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--engine", "ir-atuo"], "ir-auto"),
        (["--engine", ""], "unknown engine"),
        (["--engine", "null,threads=1"], "engine null has no 'threads': it takes delay_ms"),
        (["--engine", "ir,NUM_STREAM=1"], "NUM_STREAMS"),
        (["--engine", "ir,INFERENCE_PRECISION_HINT=f7"], "INFERENCE_PRECISION_HINT"),
        (["--engine", "ir,threads=0"], "threads=0: give a whole number of 1 or more"),
        (["--engine", "null,delay_ms=soon"], "delay_ms=soon: give milliseconds"),
        (["--engine", "null,delay_ms"], "is not key=value, as in null,delay_ms=20"),
        (["--fps", "nan"], "--fps nan: give"),
        (["--fps", "inf"], "--fps inf: give"),
        (["--fps", "1/0"], "--fps 1/0: give"),
        (["--fps", "1e12"], "--fps 1e12: give"),
        (["--policy", "hope"], ", ".join(f"'{policy}'" for policy in Policy)),
        (["--fps", "max", "--policy", "drop-oldest"], "use wait"),
        (["--queue", "many"], "'--queue': 'many' is not a valid integer"),
        (["--frames", "0"], "--frames 0: give 1 or more"),
        (["--duration", "soon"], "'soon' is not a duration: give one as in 90s, 10m or 1h"),
        (["--duration", "0s"], "'0s' is not a duration"),
        (["--warmup", "-1"], "--warmup -1: give 0 or more"),
        (["--deadline", "0"], "--deadline 0.0: give a number above 0"),
        (["--conf", "1.5"], "--conf 1.5: give a number above 0 and up to 1"),
        (["--iou", "nan"], "--iou nan: give a number above 0 and up to 1"),
        (["--fit", "cover"], "'letterbox', 'letterbox-top-left', 'stretch', 'crop'"),
        (["--video", "some"], "'delivered', 'all', 'none'"),
        (["--model", "x" * 300], "no such model: xxx"),
        (["--colour"], no_such_option("--colour")),
        (["--out"], "Option '--out' requires an argument"),
        (["--out", "/proc/streamer/run"], "another"),
        (["--out", "x" * 300], "another"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_one_line_and_exit_code_2(
    options: list[str], says: str, replay: Replay, tmp_path: Path
) -> None:
    done = replay(*options)
    assert says in done.error
    assert (done.code, done.out) == (2, "")
    assert not list(tmp_path.iterdir()), "something was written"


def test_no_such_file_is_a_usage_error(replay: Replay, tmp_path: Path) -> None:
    for name in ("nosuch.mp4", "x" * 300):
        done = replay(source=name)
        assert f"no such file: {name}" in done.error
        assert done.code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay"], "Missing argument 'SOURCE...' (see streamer replay --help)"),
        (["paly"], "No such command 'paly' (see streamer --help)"),
        (["--speed"], no_such_option("--speed")),
        (["engines", "--colour"], "(see streamer engines --help)"),
        (["engines", "--model", "nosuch.onnx"], "no such model: nosuch.onnx"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_line_that_cannot_be_understood_says_where_the_help_is(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    done = runs.streamer(*arguments, cwd=tmp_path)
    assert says in done.error
    assert (done.code, done.out) == (2, "")


def test_streamer_alone_shows_its_help(tmp_path: Path) -> None:
    done = runs.streamer(cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("Usage: streamer")
    assert "replay" in done.err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("text.mp4", b"this is no video\n" * 100, "text.mp4 is not a video that can be read"),
        ("random.mkv", np.random.default_rng(1).bytes(20_000), "random.mkv is not a video that can be read"),
        ("empty.mp4", b"", "empty.mp4 is empty"),
    ],
)
def test_what_is_not_a_video_is_refused(name: str, content: bytes, says: str, replay: Replay, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    done = replay(source=name)
    assert says in done.error
    assert (done.code, done.out) == (1, "")
    assert not (tmp_path / "run").exists()


def test_sound_without_pictures_is_no_video(replay: Replay, tmp_path: Path) -> None:
    import wave

    with closing(wave.open(str(tmp_path / "sound.wav"), "wb")) as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    done = replay(source="sound.wav")
    assert "sound.wav" in done.error
    assert done.code == 1


@pytest.mark.parametrize(
    ("name", "options"), [("cut.mp4", FASTSTART), ("cut.avi", {}), ("cut.mkv", {}), ("cut.ts", {})]
)
@pytest.mark.parametrize("fps", ["500", "max"])
def test_a_video_cut_off_in_the_middle_is_played_as_far_as_it_goes_with_a_doubt(
    name: str, options: dict[str, str], fps: str, replay: Replay, tmp_path: Path
) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    source = cut_off(write_video(tmp_path / name, 100, codec=codec, container_options=options), 0.6)
    done = replay("--fps", fps, "--policy", "wait", source=source)
    assert (done.code, done.err) == (0, "")
    outcomes = check_conserved(tmp_path / "run")
    document = manifest(tmp_path / "run")
    assert document["verdict"] == "VALID"
    assert document["doubts"], "there is no doubt about it"
    assert f"doubt   {document['doubts'][0][:40]}" in done.out
    assert set(outcomes) <= {"delivered", "decode_error"}
    assert 20 <= outcomes["delivered"] < 100
    assert outcomes["decode_error"] >= 1
    if name == "cut.mp4":
        assert outcomes.total() == 100, "its index promises 100 frames"
    assert len(video_times(tmp_path / "run" / "annotated.mp4")) == outcomes["delivered"]


def write_model(
    path: Path, output: tuple[int, ...], *, inputs: int = 1, shape: tuple[int, ...] = (1, 3, 64, 64)
) -> Path:
    """A model of no use, with an output of a given shape; as IR."""
    from streamer.vendors.openvino_quiet import ov

    op = ov.opset13
    images = [op.parameter(list(shape), np.float32) for _ in range(inputs)]
    total = op.reduce_sum(op.concat(images, 0), op.constant(np.arange(len(shape))), keep_dims=False)
    ov.save_model(ov.Model([op.multiply(op.constant(np.ones(output, np.float32)), total)], images, "none"), path)
    return path


def test_a_model_that_is_not_a_detector_is_refused(replay: Replay, tmp_path: Path) -> None:
    models = {
        write_model(tmp_path / "classifier.xml", (1, 1000)): "not a detector that streamer knows",
        write_model(tmp_path / "short.xml", (1, 300, 5)): "not a detector that streamer knows",
        write_model(tmp_path / "two.xml", (1, 6, 84), inputs=2): "a detector with 2 inputs",
        write_model(tmp_path / "sound.xml", (1, 6, 84), shape=(1, 16000)): "takes no images",
    }
    for path, says in models.items():
        done = replay("--model", path)
        assert says in done.error
        assert path.name in done.error
        assert (done.code, done.out) == (1, "")
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_no_model_is_refused(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").touch()
    files = {
        "text.onnx": b"this is no model\n",
        "empty.onnx": b"",
        "weights.xml": b"<html></html>",
        "alone.xml": b"<net></net>",
        "model.h5": b"\x89HDF",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        done = replay("--model", name)
        assert name in done.error
        assert (done.code, done.out) == (1, "")
    assert not (tmp_path / "run").exists()


def test_a_cut_off_onnx_file_is_refused(replay: Replay, tmp_path: Path) -> None:
    if not runs.SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    (tmp_path / "half.onnx").write_bytes(runs.COCO_MODEL.read_bytes()[:1_000_000])
    done = replay("--model", "half.onnx", "--engine", "ir")
    assert "half.onnx is not a model that OpenVINO can read" in done.error
    assert done.code == 1


def test_an_engine_without_its_file_says_what_the_model_has(replay: Replay) -> None:
    done = replay("--engine", "onnx")
    assert done.error == "onnx needs a .onnx file and model tiny has only tiny.xml"
    assert done.code == 1


def test_a_gpu_that_is_not_there_is_named_with_what_to_use_instead(replay: Replay, tiny_model: Path) -> None:
    if unavailable(VARIANTS["ir-gpu"], find_model(str(tiny_model))) is None:
        pytest.skip("this machine has an Intel GPU")
    done = replay("--engine", "ir-gpu")
    says = r"ir-gpu needs device GPU; OpenVINO finds here: .*CPU \(.+\).*; use ir-auto-shared .*"
    assert re.fullmatch(says, done.error)
    assert (done.code, done.out) == (1, "")


def run_code(code: str, *, cwd: Path) -> Finished:
    """A process that runs ``code``, then ``streamer`` with what the code left in ``sys.argv``."""
    whole = f"import sys\n{code}\nfrom streamer.cli.main import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", whole], cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("absent", ["torch", "ultralytics"])
@pytest.mark.parametrize("model", ["tiny.xml", "model.pt"])
def test_without_pytorch_its_engine_says_what_to_install(
    absent: str, model: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    # As where it is not installed: Python finds no module that stands as None here.
    (tmp_path / "model.pt").write_bytes(b"weights")
    path = tiny_model if model == "tiny.xml" else tmp_path / model
    arguments = ["streamer", "replay", str(clip), "--engine", "pytorch", "--model", str(path), "--out", "run"]
    done = run_code(f"sys.modules[{absent!r}] = None\nsys.argv = {arguments!r}", cwd=tmp_path)
    assert done.error.endswith("needs PyTorch: pip install 'streamer[torch]'")
    assert done.code == 1


@pytest.mark.skipif(bool(find_spec("torch")), reason="PyTorch is installed here")
def test_in_the_base_install_the_pytorch_engine_says_what_to_install(replay: Replay) -> None:
    done = replay("--engine", "pytorch")
    assert done.error == "pytorch needs PyTorch: pip install 'streamer[torch]'"
    assert done.code == 1


def test_an_out_that_is_not_empty_is_left_alone(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "frames.csv").write_text("mine")
    done = replay()
    assert done.error == "--out run is not empty: give another directory, or --overwrite"
    assert done.code == 2
    assert (tmp_path / "run" / "frames.csv").read_text() == "mine"
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == ["frames.csv"]


def test_an_out_that_cannot_be_written_is_a_usage_error(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in ("file", "file/run", "file/a/b"):
        done = replay("--out", out)
        assert f"--out {out}" in done.error
        assert "directory" in done.error
        assert done.code == 2
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_out_without_permission_is_a_usage_error(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    done = replay("--out", "closed/run")
    assert "closed is not a directory that can be written to" in done.error
    assert done.code == 2


def test_debug_shows_where_an_error_came_from(replay: Replay, tmp_path: Path) -> None:
    done = replay("--debug", source="nosuch.mp4")
    assert "Traceback" in done.err
    assert "UsageError: no such file: nosuch.mp4" in done.err


class Failing(NullEngine):
    """A null engine that fails at frame 50: the first inference comes before the frames, and there is no warm-up."""

    def compile(self) -> None:
        super().compile()
        self.requests = (FailingRequest(self.requests[0].input, fixed_prediction(self._model), lambda: None),)


class FailingRequest(NullRequest):
    calls = 0

    def infer(self) -> Outputs:
        self.calls += 1
        if self.calls == 1 + 50 + 1:
            raise RuntimeError("the device is lost:\n  it was unplugged")
        return super().infer()


FAIL_AT_50 = (
    "import streamer.run.run, tests.cli.test_errors\nstreamer.run.run.open_engine = tests.cli.test_errors.Failing"
)


@pytest.mark.parametrize("fps", ["500", "max"])
def test_an_engine_error_ends_the_run_names_the_frame_and_closes_the_video(
    fps: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    pace = ["--fps", fps, "--policy", "wait", "--warmup", "0", "--out", "run"]
    arguments = ["streamer", "replay", str(clip), "--engine", "null", "--model", str(tiny_model), *pace]
    done = run_code(f"{FAIL_AT_50}\nsys.argv = {arguments!r}", cwd=tmp_path)
    assert done.error == "the engine failed at frame 50: the device is lost: it was unplugged"
    assert done.code == 1
    outcomes = check_conserved(tmp_path / "run")
    ledger = rows(tmp_path / "run" / "frames.csv")
    assert [row["outcome"] for row in ledger[:51]] == ["delivered"] * 50 + ["engine_error"]
    assert {row["outcome"] for row in ledger[51:]} <= {"abandoned"}
    assert outcomes["delivered"] == 50
    document = manifest(tmp_path / "run")
    assert document["verdict"] == "FAILED"
    assert document["error"] == done.error
    assert len(video_times(tmp_path / "run" / "annotated.mp4")) == 50
    assert {int(row["frame"]) for row in rows(tmp_path / "run" / "detections.csv")} == set(range(50))


def test_the_library_raises_an_engine_error_that_carries_frame_and_cause(
    clip: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_failing(spec: EngineSpec, model: Model) -> Failing:
        return Failing(spec, model)

    monkeypatch.setattr("streamer.run.run.open_engine", open_failing)
    settings = Settings(engine="null", model=str(tiny_model), fps="max", warmup=0, chart=False, out=tmp_path / "run")
    with pytest.raises(EngineError, match="at frame 50") as caught:
        streamer.replay(clip, settings)
    assert caught.value.frame == 50
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert manifest(tmp_path / "run")["verdict"] == "FAILED"


@contextmanager
def running(*options: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """An endless replay in a process of its own, which does not outlive the block."""
    command = [
        sys.executable,
        "-m",
        "streamer",
        "replay",
        *map(str, options),
        "--loop",
        "--out",
        "run",
        "--warmup",
        "0",
    ]
    process = subprocess.Popen(
        command, cwd=cwd, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with runs_verified(cwd):
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def wait_for_rows(process: subprocess.Popen[str], path: Path, count: int) -> None:
    """Returns when the table has so many rows; fails when the process ends before, or after very long."""
    for _ in range(3000):
        if path.exists() and path.read_bytes().count(b"\n") > count:
            return
        try:
            process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        _, err = process.communicate()
        pytest.fail(f"the process ended: {err}")
    pytest.fail(f"{path.name} never had {count} rows")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    "options",
    [
        ("--fps", "200", "--engine", "null,delay_ms=2"),
        ("--fps", "max", "--engine", "null,delay_ms=2"),
        ("--fps", "200", "--engine", "null,delay_ms=40", "--policy", "wait", "--queue", "20"),
        ("--fps", "200", "--engine", "null,delay_ms=20", "--video", "all"),
    ],
    ids=["keeps up", "closed loop", "waits", "drops"],
)
def test_a_signal_ends_the_run_well(
    number: signal.Signals, code: int, options: tuple[str, ...], clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with running(clip, "--model", tiny_model, *options, cwd=tmp_path) as process:
        wait_for_rows(process, tmp_path / "run" / "frames.csv", 20)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code
    assert err == ""
    document = manifest(tmp_path / "run")
    assert document["verdict"] == "INTERRUPTED"
    assert document["error"] is None
    assert "verdict INTERRUPTED" in out
    assert " ".join(out.split()).endswith(document["answer"]), "the summary is not printed"
    outcomes = check_conserved(tmp_path / "run")
    assert outcomes["delivered"] > 0
    assert set(outcomes) <= {"delivered", "dropped", "abandoned"}
    if "wait" in options:
        assert outcomes["abandoned"] > 0, "nobody waited: the test shows nothing"
    shown = ("delivered", "dropped") if "all" in options else ("delivered",)
    times = video_times(tmp_path / "run" / "annotated.mp4")
    assert len(times) == sum(outcomes[name] for name in shown)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("frames.csv", "detections.csv", "annotated.mp4", "latency.png", "run.json"),
    }


def test_an_interrupted_run_with_json_still_prints_only_json(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = (clip, "--model", tiny_model, "--engine", "null", "--fps", "100", "--json")
    with running(*options, cwd=tmp_path) as process:
        wait_for_rows(process, tmp_path / "run" / "frames.csv", 5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
    assert json.loads(out) == manifest(tmp_path / "run")
    assert err == ""


def test_a_killed_run_leaves_whole_rows_and_a_video_that_plays(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = (clip, "--model", tiny_model, "--engine", "null", "--fps", "100", "--policy", "wait")
    with running(*options, cwd=tmp_path) as process:
        wait_for_rows(process, tmp_path / "run" / "frames.csv", 260)
        process.kill()
        process.communicate(timeout=60)
    written = rows(tmp_path / "run" / "frames.csv")
    assert len(written) >= 260
    assert not (tmp_path / "run" / "run.json").exists(), "a manifest of a run that is not finished"
    times, _ = playable_times(tmp_path / "run" / "annotated.mp4")
    assert times == [Fraction(index, 100) for index in range(len(times))]
    assert len(times) >= len(written) - 2 * 100, "more than its last second is lost"


def test_ctrl_c_before_the_first_frame_ends_the_process_and_writes_nothing(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "streamer", "replay", str(clip), "--model", str(tiny_model), "--out", "run"]
    slow = ["--engine", "null,delay_ms=100", "--warmup", "100000"]  # hours: the process does not wait for them
    with subprocess.Popen(
        [*command, *slow], cwd=tmp_path, env=environment({"TERM": "xterm"}), stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = read_until(ours, b"warming up")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        shown += read_until(ours, None)
        os.close(ours)
    assert process.returncode == 130
    assert b"Traceback" not in shown
    assert shown.rindex(SHOW_CURSOR) > shown.rindex(HIDE_CURSOR), "the terminal is left without its cursor"
    assert not (tmp_path / "run").exists()


@pytest.mark.timing
def test_ctrl_c_waits_only_a_moment_for_the_frame_in_flight(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = (clip, "--model", tiny_model, "--engine", "null,delay_ms=4000", "--fps", "200")
    with running(*options, cwd=tmp_path) as process:
        wait_for_rows(process, tmp_path / "run" / "frames.csv", 20)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert manifest(tmp_path / "run")["verdict"] == "INTERRUPTED"
    begun = [row for row in rows(tmp_path / "run" / "frames.csv") if row["preprocess_start_ms"]]
    assert [row["outcome"] for row in begun] == ["abandoned"], "it waited for the frame"
    assert verify(tmp_path / "run").valid


def test_signals_that_come_at_once_are_one_request(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = (clip, "--model", tiny_model, "--engine", "null,delay_ms=3000", "--fps", "200")
    with running(*options, cwd=tmp_path) as process:
        wait_for_rows(process, tmp_path / "run" / "frames.csv", 20)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert err == ""
    assert verify(tmp_path / "run").valid


def test_a_second_ctrl_c_does_not_wait_for_the_frame_in_flight(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = (clip, "--model", tiny_model, "--engine", "null,delay_ms=3000", "--fps", "200")
    with running(*options, cwd=tmp_path) as process:
        wait_for_rows(process, tmp_path / "run" / "frames.csv", 20)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err == ""
    assert not (tmp_path / "run" / "run.json").exists(), "it waited, and finished the run"


def test_a_terminal_shows_a_live_line(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "streamer", "replay", str(clip), "--model", str(tiny_model), "--out", "run"]
    slow = ["--engine", "null", "--fps", "50", "--loop", "--frames", "90"]
    with subprocess.Popen(
        [*command, *slow], cwd=tmp_path, env=environment({"TERM": "xterm"}), stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = read_until(ours, None)
        process.communicate(timeout=60)
        os.close(ours)
    assert process.returncode == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"\d+ of 90 frames  [\d.]+/s  p50 [\d.]+ ms  p95 [\d.]+ ms  \d+ dropped", plain)


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of its own, mounted at ``place``; skips where that is not allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "streamer-test", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount(8) to make a small disk with")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that cannot be compressed: 60 of them, half a second each."""
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(60)]
    path = tmp_path_factory.mktemp("noise") / "noise.mp4"
    return write_video(path, pictures, rate=Fraction(25), options={"crf": "18"})


def check_full(done: Finished, run: Path) -> None:
    """The run failed for want of room, and lost nothing."""
    assert re.fullmatch(r"disk full while writing .*: free some space", done.error)
    assert done.code == 1
    outcomes = check_conserved(run)
    document = manifest(run)
    assert document["verdict"] == "FAILED"
    assert document["error"] == done.error
    assert outcomes["delivered"] > 0
    assert not (run / ".reserve").exists()
    assert not list(run.glob("*.writing"))
    found = [int(row["frame"]) for row in rows(run / "detections.csv")]
    there = {int(row["frame"]) for row in rows(run / "frames.csv") if row["outcome"] == "delivered"}
    assert there <= set(found), "detections of delivered frames are lost"


@pytest.mark.parametrize(("size", "fps"), [("1200k", "25"), ("2m", "25"), ("2m", "max"), ("3m", "max")])
def test_a_disk_that_the_video_fills_ends_the_run_and_nothing_is_lost(
    size: str, fps: str, noise: Path, replay: Replay, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", size) as disk:
        done = replay("--fps", fps, "--loop", "--policy", "wait", "--out", disk / "run", source=noise)
        check_full(done, disk / "run")
        if size != "1200k":  # which has no room for the first second
            shown, _ = playable_times(disk / "run" / "annotated.mp4")
            assert len(shown) >= manifest(disk / "run")["frames"]["delivered"] - 2 * 25, "more than a second is lost"
            assert shown


@pytest.mark.parametrize("kilobytes", [1112, 1120, 1132, 1160])
def test_a_disk_that_the_tables_fill_ends_the_run_and_nothing_is_lost(
    kilobytes: int, replay: Replay, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", f"{kilobytes}k") as disk:
        done = replay("--fps", "max", "--loop", "--video", "none", "--out", disk / "run")
        check_full(done, disk / "run")


def test_a_disk_that_is_full_from_the_start_is_one_line(replay: Replay, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "512k") as disk:
        done = replay("--out", disk / "run")
        assert "No space left" in done.error or "disk full" in done.error
        assert done.code == 1
        left = sum(path.stat().st_size for path in disk.rglob("*") if path.is_file())
        assert left == 0, "what could not be begun takes room"


@pytest.mark.slow
def test_the_manifest_is_written_when_the_videos_last_second_takes_all_room(tiny_model: Path, tmp_path: Path) -> None:
    # 95 KB a frame, a fragment every 100: the tables are out of room when more than the reserve is still unwritten.
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 256, (480, 640, 3), np.uint8) for _ in range(10)]
    snow = write_video(tmp_path / "snow.mp4", pictures, options={"crf": "18", "preset": "ultrafast"})
    with small_disk(tmp_path / "run", "24m") as disk:
        options = (snow, "--model", tiny_model, "--engine", "null", "--fps", "100", "--policy", "wait")
        with running(*options, cwd=tmp_path) as process:
            wait_for_rows(process, disk / "frames.csv", 104)
            with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
                while filler.write(bytes(1 << 16)):
                    pass
            out, err = process.communicate(timeout=60)
        check_full(Finished(process.returncode, out, err), disk)
