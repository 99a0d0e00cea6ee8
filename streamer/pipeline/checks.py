"""Every "these two do not go together": options with one another, with the engine, and with the sources.

Each check takes the values that it looks at, not the settings: those lie in a layer above, and are checked here when
they are made. Every check raises UsageError.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamer.engines.variants import EngineSpec
from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.schedule.schedule import Pace
from streamer.sources.access import TIMEOUT_S
from streamer.sources.base import SourceInfo


def check_closed_loop(fps: Pace | int, *, policy: Policy | None, freshness: Sequence[str]) -> None:
    """In a closed loop no frame is due: none is dropped, none arrives late and none grows old.

    ``freshness`` are the flags of the freshness options that were given.
    """
    if fps != "max":
        return
    if policy not in (None, Policy.WAIT):
        raise UsageError(f"--policy {policy}: with --fps max nothing is due and nothing dropped; use wait")
    if freshness:
        raise UsageError(f"{', '.join(freshness)}: with --fps max nothing is due; leave it out")


def check_skip_gaps(skip_gaps: bool, *, fps: Pace | int, arrivals: str | None) -> None:
    """Gaps can be skipped only where frames are due by the file's own times."""
    if skip_gaps and fps != "source":
        raise UsageError(f"--skip-gaps: with --fps {fps} no frame is due by the file's times; leave it out")
    if skip_gaps and arrivals is not None and arrivals.partition(",")[0] != "bursty":
        raise UsageError(f"--skip-gaps: with --arrivals {arrivals} no frame is due by the file's times; leave it out")


def check_give_up(give_up_s: float | None, *, reconnect: bool) -> None:
    """Only a source that is connected anew can be given up after a time."""
    if give_up_s is not None and not reconnect:
        raise UsageError("--give-up with --no-reconnect: a source that is lost is given up at once; leave it out")


def check_source_timeout(timeout_s: float, give_up_us: int | None) -> None:
    """A source is not given up before its timeout; ``give_up_us`` is None when it is not connected anew."""
    if timeout_s > TIMEOUT_S and give_up_us is not None and timeout_s * 1_000_000 > give_up_us:
        raise UsageError(
            f"--source-timeout {timeout_s:g}s with --give-up {give_up_us / 1_000_000:g}s: "
            "it would be given up before; give a longer --give-up"
        )


def check_streams(streams: int, sources: int) -> None:
    """``--streams`` multiplies one source, not several."""
    if streams > 1 and sources > 1:
        raise UsageError(f"--streams {streams} with {sources} sources: give one source, or leave it out")


def check_engine(spec: EngineSpec, *, queue: int, fps: Pace | int, respawn: int) -> None:
    """Priming needs room in the queue. An engine in a process of its own has one request, and no priming."""
    if spec.prime and queue == 0 and fps != "max":
        raise UsageError("--queue 0 with prime=on: a frame that falls due during priming is lost; use --queue 1")
    if respawn and (spec.requests != 1 or spec.prime):
        raise UsageError(
            f"--respawn with {spec.spec}: an engine in a process of its own has one request, and no prime"
        )


def check_cameras(number: int, *, spec: EngineSpec, fps: Pace | int) -> None:
    """Several cameras leave no gap to prime in, and a closed loop has no cameras."""
    if number > 1 and spec.prime:
        raise UsageError("prime=on with several streams: the gap before one's frame is another's; leave it out")
    if number > 1 and fps == "max":
        raise UsageError("--fps max with several streams: in a closed loop there are no cameras; give one source")


def check_live(
    info: SourceInfo, *, fps: Pace | int, policy: Policy | None, loop: bool, skip_gaps: bool = False
) -> None:
    """A live source cannot be held back, paced or started again, and its times are not known ahead."""
    if not info.live:
        return
    if fps != "source":
        raise UsageError(f"--fps {fps}: {info.uri} is live and comes at its own pace: leave --fps out")
    if policy is Policy.WAIT:
        others = " or ".join(one for one in Policy if one is not Policy.WAIT)
        raise UsageError(f"--policy wait: {info.uri} is live and cannot be held back: use {others}")
    if loop:
        raise UsageError(f"--loop: {info.uri} is live and cannot start again: leave --loop out")
    if skip_gaps:
        raise UsageError(f"--skip-gaps: {info.uri} is live and comes at its own pace: leave --skip-gaps out")
