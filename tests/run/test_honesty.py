"""A run's honesty, end to end: objectives, until, arrivals, age limits, live sources; each run is verified."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import av
import pytest

import streamer
from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.run.finished import Run
from streamer.settings.settings import Settings
from streamer.verification import verify
from tests import runs
from tests.runs import check_conserved, rows
from tests.sources.servers import USER, http_server
from tests.tiny_models import CELLS, raw, write_ir
from tests.videos import write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, 25 a second."""
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 60)


def replayed(source: str | Path, model: Path, out: Path, **more: Any) -> Run:
    """A replay that is verified."""
    usual: dict[str, Any] = {
        "engine": "null",
        "model": str(model),
        "warmup": 0,
        "out": out,
        "fps": 200,
        "chart": False,
    }
    done = streamer.replay(source, Settings(**{**usual, **more}))
    found = verify(out)
    assert found.valid, found.reasons
    return done


def test_until_goes_on_until_the_percentile_may_be_shown(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    done = replayed(clip, tiny_model, tmp_path / "run", until="p95", loop=True, policy=Policy.WAIT)
    assert done.manifest["latency_ms"]["p95"] is not None
    assert done.manifest["latency_ms"]["p99"] is None
    assert 130 <= done.manifest["frames"]["delivered"] < 140


def test_a_source_that_ends_too_soon_for_until_is_a_doubt(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    done = replayed(clip, tiny_model, tmp_path / "run", until="p99", policy=Policy.WAIT)
    assert any("p99 needs 662, the run has 60" in doubt for doubt in done.manifest["doubts"])


@pytest.mark.parametrize(
    ("score", "says"),
    [
        (1.5, "confidences reach 1.500"),
        (412.0, "confidences reach 412.000"),
        (1.005, None),  # a quantized model rounds
        (0.0, "nothing was found in any of 30"),
    ],
)
def test_what_a_model_puts_out_is_doubted(score: float, says: str | None, clip: Path, tmp_path: Path) -> None:
    answer = raw(1, 6, CELLS)
    answer[0, :, 10] = 20, 20, 16, 16, score, 0
    model = write_ir(tmp_path / "mine.xml", answer, labels="person car")
    settings = Settings(engine="ir", model=str(model), out=tmp_path / "run", fps="max", frames=30, chart=False)
    doubts = streamer.replay(clip, settings).manifest["doubts"]
    assert verify(tmp_path / "run").reasons == []
    if says is None:
        assert not any("confidences" in doubt for doubt in doubts)
    else:
        assert sum(says in doubt for doubt in doubts) == 1


@pytest.mark.timing
def test_a_missed_objective_is_exit_code_3_and_says_why(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = ("--engine", "null,delay_ms=5", "--model", tiny_model, "--fps", "100", "--policy", "wait")
    missed = runs.streamer("replay", clip, *options, "--slo", "service.p50<1ms", "--out", "missed", cwd=tmp_path)
    assert missed.code == 3
    measured = re.search(r"service\.p50<1ms: missed, ([\d.]+)", missed.out)
    assert measured is not None
    assert float(measured[1]) >= 5, "the engine takes that long, and the machine may add to it"
    withheld = runs.streamer("replay", clip, *options, "--slo", "latency.p99<1s", "--out", "withheld", cwd=tmp_path)
    assert withheld.code == 3
    assert "latency.p99 needs 662 frames, has 60" in withheld.out
    met = runs.streamer("replay", clip, *options, "--slo", "drops<1%,service.p50>1ms", "--out", "met", cwd=tmp_path)
    assert met.code == 0
    assert runs.manifest(tmp_path / "met")["slo"] == "met"


def test_an_objective_that_does_not_parse_is_exit_code_2(clip: Path, tmp_path: Path) -> None:
    done = runs.streamer("replay", clip, "--slo", "latency.p99<33xs", "--out", "run", cwd=tmp_path)
    assert done.code == 2
    assert done.error == "--slo latency.p99<33xs: at character 15, 'xs': give the unit of a time: us, ms, s"


def test_a_burst_is_replayed_and_the_ledger_says_what_was_stale(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    done = replayed(
        clip,
        tiny_model,
        tmp_path / "run",
        fps=50,
        engine="null,delay_ms=30",
        queue=30,
        arrivals="bursty,pause_ms=300,every_s=0.5",
        max_age=100,
    )
    ledger = rows(tmp_path / "run" / "frames.csv")
    assert done.manifest["run"]["arrivals"] == "bursty,pause_ms=300,every_s=0.5"
    due = [row["scheduled_ms"] for row in ledger]
    assert due.count("500.000") == 16, "the backlog of 300 ms and the frame of that instant"
    assert {row["reason"] for row in ledger if row["outcome"] == "dropped"} <= {"stale", "queue_full"}
    assert any(row["reason"] == "stale" for row in ledger)


@pytest.mark.parametrize(
    ("wrong", "flags"),
    [
        ({"max_age": 5}, "max_age: "),
        ({"skip_partial": True}, "skip_partial=True: "),
        ({"arrivals": "bursty", "max_age": 5}, "arrivals, max_age: "),
    ],
)
def test_a_closed_loop_has_no_arrivals_and_no_age(wrong: dict[str, Any], flags: str) -> None:
    with pytest.raises(UsageError, match=f"^{flags}with fps max nothing is due"):
        Settings(fps="max", **wrong)


def transport_stream(clip: Path) -> bytes:
    """The clip as a broadcast: it can be read from its beginning, without an index."""
    broadcast = io.BytesIO()
    with av.open(str(clip)) as source, av.open(broadcast, "w", format="mpegts") as target:
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    return broadcast.getvalue()


def test_a_live_source_is_due_when_it_arrives_and_its_address_is_kept_secret(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with http_server(transport_stream(clip)) as address:
        assert USER in address
        done = replayed(address, tiny_model, tmp_path / "run", fps="source")
    check_conserved(tmp_path / "run")
    ledger = rows(tmp_path / "run" / "frames.csv")
    assert ledger
    assert done.manifest["source"]["live"] is True
    for path in (tmp_path / "run").iterdir():
        assert b"secret" not in path.read_bytes()
