"""``streamer.pace``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from streamer.api.calling import called
from streamer.api.given_source import Source, source_text
from streamer.api.progress import Observer
from streamer.api.studying import Observed
from streamer.models.find import find_model
from streamer.settings.given import given_settings
from streamer.settings.keywords import PaceOptions, Time
from streamer.settings.library_words import in_library_words
from streamer.settings.study_options import DURATION, Rates, read_rates
from streamer.settings.video import Video
from streamer.studies.engine_choice import read_engines, requested_engines
from streamer.studies.pace.conduct import conduct
from streamer.studies.pace.result import PaceResult
from streamer.studies.pace.study import DEFAULT, PaceSettings

OWN = ("fps", "duration", "engine", "engines")


def pace(
    source: Source,
    *,
    fps: Rates = "2,5,10,15,30,60,max",
    duration: Time = "20s",
    engine: str | Sequence[str] | None = None,
    engines: Literal["tutorial", "all"] | None = None,
    observer: Observer | None = None,
    **options: Unpack[PaceOptions],
) -> PaceResult:
    """Studies how latency depends on the frame rate, as ``streamer pace`` does: ``source`` at several rates.

    ``fps`` are the rates, as in ``"2,5,max"`` or ``[2, 5, "max"]``, ``"max"`` for the closed loop; ``duration`` is
    how long each is played, in seconds of the camera's time. ``engine`` is a SPEC, or several; ``engines`` a group;
    by default it is ir-auto-shared alone. Options are named as on the command line, and given as one types them
    there. ``observer`` is called with the progress, in rounds. Nothing is printed.

    Ctrl-C ends it in good order: the result has the rounds that all rates have finished, and says so.

    Raises UsageError, SourceError, ModelError or EngineError when it cannot run, or no engine comes to its end.
    """
    with in_library_words():
        seconds = DURATION.value_of(duration)
        DURATION.refuse(seconds)
        settings = PaceSettings(
            engines=requested_engines(read_engines(engine), engines, DEFAULT),
            rates=read_rates(fps),
            seconds=seconds,
            replay=given_settings({"video": Video.NONE, **options}, PaceOptions, OWN),
        )
    return called(
        lambda stop, shown: conduct(source_text(source), settings, find_model, Observed(shown, stop)), observer
    )
