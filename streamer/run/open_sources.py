"""Opening the sources of a run: files one after the other, live ones side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import anyio

from streamer.errors import NoSource, SourceError, StreamerError
from streamer.pipeline.checks import check_live
from streamer.settings.settings import Settings
from streamer.sources.away import AwaitedSource, usual_rate
from streamer.sources.base import Source
from streamer.sources.registry import is_live, open_source
from streamer.workers.clock import Clock
from streamer.workers.threads import Begun, Stage, Threads


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of a run, in the order of its streams; ``awaited`` are those that may be away, by number."""

    all: Sequence[Source]
    awaited: Mapping[int, AwaitedSource]


class Opening:
    """Opens sources; `close` closes what was opened, also after a failure."""

    def __init__(self, uris: Sequence[str], settings: Settings, clock: Clock, threads: Threads) -> None:
        self._uris = uris
        self._settings = settings
        self._clock = clock
        self._threads = threads
        self._opened: dict[int, Source] = {}

    async def run(self) -> Sources:
        """The sources, each of which is open, or away where the run can begin without it.

        Raises the error of the first other source; its message has the errors of the rest, too.
        """
        failures = await self._open()
        absent = {number: error for number, error in failures.items() if self._may_be_away(number, error)}
        if len(absent) < len(failures) or (failures and not self._opened):
            raise together([failures[number] for number in sorted(failures)])
        sources = self._awaiting(absent)
        for source in sources.all:
            check_live(
                source.info,
                fps=self._settings.fps,
                policy=self._settings.policy,
                loop=self._settings.loop,
                skip_gaps=self._settings.skip_gaps,
            )
        return sources

    def close(self) -> None:
        """Closes the sources, except those that a lost thread is still in."""
        for number, source in self._opened.items():
            if self._stage(number) not in self._threads.lost:
                source.close()

    def _stage(self, number: int) -> Stage:
        return Stage.LIVE if is_live(self._uris[number]) else Stage.SOURCE

    def _may_be_away(self, number: int, error: Exception) -> bool:
        lost = isinstance(error, SourceError) and not isinstance(error, NoSource)
        return lost and self._reconnects and is_live(self._uris[number])

    @property
    def _reconnects(self) -> bool:
        return self._settings.give_up_us is not None and len(self._uris) > 1

    def _how(self, uri: str) -> Callable[[], Source]:
        return partial(
            open_source,
            uri,
            loop=self._settings.loop,
            now_us=self._clock.now_us,
            video_stream=self._settings.video_stream,
            access=self._settings.access,
        )

    def _open_one(self, number: int) -> None:
        # Noted on its thread, so that a source is closed even if the opening is no longer waited for.
        self._opened[number] = self._how(self._uris[number])()

    async def _open(self) -> dict[int, Exception]:
        """Why sources could not be opened, by number. After a file that cannot be, no other source is tried."""
        failures: dict[int, Exception] = {}
        begun: dict[int, Begun[None]] = {}
        for number in range(len(self._uris)):
            begun[number] = self._threads.begin(partial(self._open_one, number), self._stage(number))
            if self._stage(number) is Stage.SOURCE and await failure_of(begun[number]) is not None:
                break
        for number, job in begun.items():
            failure = await failure_of(job)
            if failure is not None:
                failures[number] = failure
        return failures

    def _awaiting(self, absent: Mapping[int, Exception]) -> Sources:
        if not self._reconnects:
            return Sources([self._opened[number] for number in range(len(self._uris))], {})
        rate = usual_rate([source.info for source in self._opened.values()])
        sources: list[Source] = []
        awaited = {}
        for number, uri in enumerate(self._uris):
            found = absent.get(number, self._opened.get(number))
            if is_live(uri):
                assert found is not None
                assert not isinstance(found, Exception) or isinstance(found, SourceError)
                awaited[number] = AwaitedSource(uri, found, self._how(uri), rate, number)
                self._opened[number] = awaited[number]
                sources.append(awaited[number])
            else:
                sources.append(self._opened[number])
        return Sources(sources, awaited)


async def failure_of(job: Begun[object]) -> Exception | None:
    """Waits for the work to end; returns why it failed, None when it did not."""
    with anyio.CancelScope(shield=True):  # a thread cannot be cancelled
        await job.wait()
    try:
        job.outcome()
    except Exception as error:
        return error
    return None


def together(failures: Sequence[Exception]) -> Exception:
    """The first failure, with a one-line message that has the others, too."""
    first = failures[0]
    messages = list(dict.fromkeys(str(failure) for failure in failures))
    if len(messages) == 1 or not isinstance(first, StreamerError):
        return first
    return type(first)("; ".join(messages))
