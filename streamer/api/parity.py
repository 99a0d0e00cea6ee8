"""``streamer.parity``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, Unpack

from streamer.api.calling import called
from streamer.api.given_source import Source, source_text
from streamer.api.progress import Observer
from streamer.api.telling import Telling
from streamer.models.find import find_model
from streamer.settings.given import given_settings, given_values
from streamer.settings.keywords import ParityOptions, PathText
from streamer.settings.library_words import library_words
from streamer.studies.engine_choice import read_engines, requested_engines
from streamer.studies.parity.conduct import conduct
from streamer.studies.parity.result import ParityResult
from streamer.studies.parity.rows import EngineParity
from streamer.studies.parity.study import PARITY_OPTIONS, Parity, ParitySettings
from streamer.workers.stopping import Stop


def parity(
    source: Source,
    *,
    engine: str | Sequence[str] | None = None,
    engines: Literal["tutorial", "all"] | None = None,
    reference: str | None = None,
    frames: int = 100,
    truth: PathText | None = None,
    min_agreement: float = 0.9,
    observer: Observer | None = None,
    **options: Unpack[ParityOptions],
) -> ParityResult:
    """Compares the detections of engines in the same ``frames`` of ``source``, as ``streamer parity`` does.

    ``engine`` is a SPEC, or several; ``engines`` a group, by default every one. The ``reference`` is a SPEC, None for
    the most exact that can run. ``truth`` is ground truth as COCO JSON; without it that of the synthetic street. An
    engine agrees from a share of ``min_agreement`` on, and `ParityResult.missed` says whether one does not. Options
    are named as on the command line, and given as one types them there. ``observer`` is called with the progress, in
    frames. Nothing is printed.

    Ctrl-C ends it in good order: the result has the engines that are done, and says so.

    Raises UsageError, SourceError, ModelError or EngineError when it cannot run, or the reference or all others
    cannot.
    """
    own = {"reference": reference, "frames": frames, "truth": truth, "min_agreement": min_agreement}

    def compared(stop: Stop, shown: Observer | None) -> ParityResult:
        shared = given_settings(options, ParityOptions, ["engine", "engines", *own])
        settings = ParitySettings(
            engines=requested_engines(read_engines(engine), engines),
            confidence=shared.confidence,
            iou=shared.iou,
            fit=shared.fit,
            video_stream=shared.video_stream,
            **given_values(PARITY_OPTIONS, own),
        )
        done = conduct(
            source_text(source),
            partial(find_model, shared.model, shared.trust),
            settings,
            shared.out,
            partial(_watched, Telling(shown, stop, "frames")),
            overwrite=shared.overwrite,
        )
        return replace(done, left_out=tuple((about, library_words(text)) for about, text in done.left_out))

    return called(compared, observer)


def _watched(telling: Telling, study: Parity, notes: Sequence[str]) -> Iterator[EngineParity]:
    """The rows of the study, with their progress; its notes are in its result."""
    done, frames = 0, len(study.frames.indices)
    total = frames * (1 + len(study.others))

    def advance(name: str) -> None:
        nonlocal done
        done += 1
        telling.under_way(name, done, total)

    telling.under_way(study.reference.spec, 0, total)
    for number, row in enumerate(study.rows(advance, telling.check), start=1):
        yield row
        done = number * frames  # an engine that cannot run, or a source that ends early, is done as well
        telling.done(row.spec, done, total)
