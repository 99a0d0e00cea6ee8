"""``streamer.bench``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal, Unpack

from streamer.api.calling import called
from streamer.api.given_source import path_text
from streamer.api.progress import Observer
from streamer.api.telling import Telling
from streamer.models.find import find_model
from streamer.settings.given import given_settings, given_values
from streamer.settings.keywords import BenchOptions, PathText
from streamer.studies.bench.conduct import conduct
from streamer.studies.bench.result import BenchResult
from streamer.studies.bench.rows import AGAINST, Benched
from streamer.studies.bench.study import BENCH_OPTIONS, Bench, BenchSettings
from streamer.studies.engine_choice import read_engines, requested_engines
from streamer.workers.stopping import Stop


def bench(
    image: PathText | None = None,
    *,
    engine: str | Sequence[str] | None = None,
    engines: Literal["tutorial", "all"] | None = None,
    number: int = 1000,
    input: Literal["float32", "tutorial"] = "float32",
    against: Literal["benchmark_app"] | None = None,
    observer: Observer | None = None,
    **options: Unpack[BenchOptions],
) -> BenchResult:
    """Times inferences of one image, the first by itself and then ``number`` in a row, as ``streamer bench`` does.

    ``image`` is an image file, None for the first frame of the bundled clip. ``engine`` is a SPEC, or several;
    ``engines`` a group, by default that of the tutorial. ``input="tutorial"`` gives an engine float64 where the
    tutorial does. ``against`` runs OpenVINO's own program beside the engine ``ir``. Options are named as on the
    command line, and given as one types them there. ``observer`` is called with the progress, in inferences. Nothing
    is printed.

    Ctrl-C ends it in good order: the result has the engines that are done, and says so.

    Raises UsageError, SourceError, ModelError or EngineError when it cannot run, or no engine can.
    """
    own = {"number": number, "input": input, "against": against}

    def benched(stop: Stop, shown: Observer | None) -> BenchResult:
        shared = given_settings(options, BenchOptions, ["engine", "engines", *own])
        requested = requested_engines(read_engines(engine), engines, "tutorial")
        return conduct(
            None if image is None else path_text("image", image, "as in 'bus.jpg'"),
            partial(find_model, shared.model, shared.trust),
            BenchSettings(engines=requested, **given_values(BENCH_OPTIONS, own)),
            shared.out,
            partial(_watched, Telling(shown, stop, "inferences")),
            overwrite=shared.overwrite,
        )

    return called(benched, observer)


def _watched(telling: Telling, study: Bench, notes: Sequence[str]) -> Iterator[Benched]:
    """The rows of the study, with their progress; its notes are in its document."""
    finished, number = 0, study.settings.number
    total = number * len(study.engines)

    def advance(name: str, done: int) -> None:
        telling.under_way(name, finished * number + done, total)

    for row in study.rows(advance):
        yield row
        finished += row.spec != AGAINST
        telling.done(row.spec, finished * number, total)
