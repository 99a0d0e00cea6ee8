"""The options of a run, a row each.

A row holds the option's name, metavar, help, default and range. The options of the commands and of the library, the
checks and a soak's JSON come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamer.detection.input_spec import Fit
from streamer.machine.load import parse_load
from streamer.pipeline.drop_policy import Policy
from streamer.schedule.schedule import Pace, parse_fps
from streamer.settings.option import ABOVE_0, FROM_0, FROM_1, RATE, SHARE, Group, option
from streamer.settings.video import Video
from streamer.sources.access import TIMEOUT_S, Transport
from streamer.stats.percentiles import parse_percentile
from streamer.stats.slo import parse_slo
from streamer.units import parse_duration, parse_size

GIVE_UP_S = 60.0
"""Seconds without a frame after which a live source is given up, by default."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Rows:
    """The options as fields, each with its row; `Settings` gives them their values."""

    engine: str = option(
        "ir-auto-shared",
        "--engine SPEC",
        "A variant of 'streamer engines', with refinements as in ir,precision=f32 or ir-fast,prime=on.",
    )
    model: str | None = option(
        None,
        "--model NAME|PATH",
        "The detector: a name of 'streamer models list', or a .onnx, .xml or .pt.",
        Group.MODEL,
        default_text="the bundled one",
    )
    trust: bool = option(
        False,
        "--trust",
        "Load a .pt without asking. It is a pickle: loading it may run code of whoever made it.",
        Group.MODEL,
    )
    video_stream: int | None = option(
        None,
        "--video-stream N",
        "Which of a file's videos is played, numbered from 0 as FFmpeg's 0:v:N; a note of the run lists several.",
        default_text="the default one, else the largest",
        read=int,
        range=FROM_0,
    )
    streams: int = option(
        1,
        "--streams N",
        "Cameras that play SOURCE at once, evenly staggered, through one engine.",
        read=int,
        range=FROM_1,
    )
    fps: Pace | int = option(
        "source",
        "--fps source|N|max",
        "The camera's pace: the file's own timestamps, N frames a second, or a closed loop.",
        read=parse_fps,
        range=RATE,
    )
    skip_gaps: bool = option(
        False,
        "--skip-gaps",
        "Shorten each gap in the file's times (over 2 s and over 10 usual intervals) to one frame period.",
    )
    policy: Policy | None = option(
        None,
        "--policy",
        "What happens to a frame when the queue is full.",
        Group.PACING,
        default_text="drop-oldest; wait with --fps max",
        read=Policy,
    )
    queue: int = option(1, "--queue N", "Frames that may wait for the engine.", Group.PACING, read=int, range=FROM_0)
    warmup: int = option(10, "--warmup N", "Inferences before the run.", Group.PACING, read=int, range=FROM_0)
    deadline_ms: float | None = option(
        None,
        "--deadline MS",
        "Latency above which a frame is late.",
        Group.PACING,
        default_text="one frame period",
        read=float,
        range=ABOVE_0,
    )
    slo: str | None = option(
        None,
        "--slo EXPR",
        "Objectives, as in 'latency.p99<33ms,drops<1%'; exit code 3 when one is missed.",
        Group.PACING,
        check=parse_slo,
    )
    arrivals: str | None = option(
        None,
        "--arrivals FILE.csv|bursty",
        "When frames arrive: recorded (column arrival_ms), or in bursts: bursty[,pause_ms=450,every_s=2].",
        Group.FRESHNESS,
    )
    max_age_ms: float | None = option(
        None,
        "--max-age MS",
        "Drop a frame that is older than this when its turn comes.",
        Group.FRESHNESS,
        read=float,
        range=ABOVE_0,
    )
    skip_partial: bool = option(
        False,
        "--skip-partial",
        "Drop a frame when the next one's result would be there by the same tick.",
        Group.FRESHNESS,
    )
    frames: int | None = option(None, "--frames N", "End after N frames.", Group.LENGTH, read=int, range=FROM_1)
    duration_s: float | None = option(
        None,
        "--duration TIME",
        "End after 90s, 10m or 1h of schedule.",
        Group.LENGTH,
        read=parse_duration,
        range=ABOVE_0,
    )
    loop: bool = option(False, "--loop", "Start again at the end of the source.", Group.LENGTH)
    load: tuple[str, ...] = option(
        (),
        "--load WHAT=SIZE,...",
        "A load beside the run: cpu=1.5 (cores), mem=2G, io=50M/s, nice=5; may be repeated.",
        Group.ENDURANCE,
        check=parse_load,
    )
    stall_s: float = option(
        5.0,
        "--stall TIME",
        "End the run when a stage takes this long for one frame.",
        Group.ENDURANCE,
        default_text="5s",
        read=parse_duration,
        range=ABOVE_0,
    )
    respawn: int = option(
        0,
        "--respawn N",
        "Run the engine in a process of its own, and replace it up to N times when it hangs or dies.",
        Group.ENDURANCE,
        read=int,
        range=FROM_0,
    )
    reconnect: bool = option(
        True,
        "--reconnect/--no-reconnect",
        "Reconnect a camera or an address that is lost; each tick without a frame is a row of frames.csv.",
        Group.ENDURANCE,
    )
    give_up_s: float | None = option(
        None,
        "--give-up TIME",
        "End the run when a camera or an address gives no frame for this long.",
        Group.ENDURANCE,
        default_text=f"{GIVE_UP_S:g}s",
        read=parse_duration,
        range=ABOVE_0,
    )
    source_timeout_s: float = option(
        TIMEOUT_S,
        "--source-timeout TIME",
        "How long a camera or an address may send nothing before it is lost, or cannot be opened.",
        Group.ENDURANCE,
        default_text=f"{TIMEOUT_S:g}s",
        read=parse_duration,
        range=ABOVE_0,
    )
    rtsp_transport: Transport = option(
        Transport.TCP,
        "--rtsp-transport",
        "How an rtsp:// address sends its packets; most damage by packets lost over UDP goes unmarked.",
        Group.ENDURANCE,
        read=Transport,
    )
    tls_verify: bool = option(
        False,
        "--tls-verify",
        "Refuse an rtsps:// or https:// address whose certificate is not trusted.",
        Group.ENDURANCE,
    )
    faults: str | None = option(
        None,
        "--faults FILE.toml",
        "Which faults are injected, and when: a table [[fault]] for each.",
        Group.ENDURANCE,
    )
    until: str | None = option(
        None,
        "--until P",
        "Run until there are enough frames to show this percentile, as in p99.9; mostly with --loop.",
        check=parse_percentile,
    )
    segment_s: float | None = option(
        None,
        "--segment TIME",
        "Cut tables and videos into segments of this length.",
        read=parse_duration,
        range=ABOVE_0,
    )
    keep_bytes: int = option(
        1 << 30,
        "--keep SIZE",
        "Disk space that finished segments may use; the oldest are deleted first.",
        read=parse_size,
    )
    confidence: float = option(0.25, "--conf C", "Lowest confidence kept.", Group.DETECTION, read=float, range=SHARE)
    iou: float = option(
        0.5, "--iou IOU", "Overlap at which NMS suppresses.", Group.DETECTION, read=float, range=SHARE
    )
    fit: Fit | None = option(
        None,
        "--fit",
        "How a frame is made to fit the model's input.",
        Group.DETECTION,
        default_text="as the model asks for",
        read=Fit,
    )
    video: Video = option(Video.DELIVERED, "--video", "Which frames the annotated video shows.", read=Video)
    chart: bool = option(True, "--chart/--no-chart", "Draw what was measured as a chart, a .png file.")
    out: Path | None = option(
        None, "--out DIR", "The run directory.", default_text="a new one in runs/", read=Path, kept=False
    )
    overwrite: bool = option(False, "--overwrite", "Replace the run in a directory that is not empty.", kept=False)
