"""``streamer.compare``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from streamer.api.calling import called
from streamer.api.given_source import Source, source_text
from streamer.api.progress import Observer
from streamer.api.studying import Observed
from streamer.models.find import find_model
from streamer.settings.given import given_settings
from streamer.settings.keywords import CompareOptions, PathText
from streamer.settings.library_words import in_library_words
from streamer.settings.study_options import BASELINE, TRUTH
from streamer.settings.video import Video
from streamer.studies.compare.conduct import conduct
from streamer.studies.compare.result import ComparisonResult
from streamer.studies.compare.study import DEFAULT, CompareSettings
from streamer.studies.engine_choice import read_engines, requested_engines

OWN = ("engine", "engines", "baseline", "truth")


def compare(
    source: Source,
    *more: Source,
    engine: str | Sequence[str] | None = None,
    engines: Literal["tutorial", "all"] | None = None,
    baseline: str | None = None,
    truth: PathText | None = None,
    observer: Observer | None = None,
    **options: Unpack[CompareOptions],
) -> ComparisonResult:
    """Compares engines on the same frames of ``source``, as ``streamer compare`` does.

    With two run directories or more the finished runs are compared, and nothing is run. ``engine`` is a SPEC, or
    several, each run as often as it is named; ``engines`` a group, by default that of the tutorial. The others are
    compared with ``baseline``. ``truth`` is ground truth as COCO JSON. Options are named as on the command line, and
    given as one types them there. ``observer`` is called with the progress, in rounds. Nothing is printed.

    Ctrl-C ends it in good order: the result has the rounds that all engines have finished, and says so.

    Raises UsageError, SourceError, ModelError or EngineError when it cannot run, or no engine comes to its end.
    """
    with in_library_words():
        settings = CompareSettings(
            engines=requested_engines(read_engines(engine), engines, DEFAULT),
            baseline=BASELINE.value_of(baseline),
            truth=TRUTH.value_of(truth),
            replay=given_settings({"video": Video.NONE, **options}, CompareOptions, OWN),
        )
    sources = [source_text(one) for one in (source, *more)]
    return called(lambda stop, shown: conduct(sources, settings, find_model, Observed(shown, stop)), observer)
