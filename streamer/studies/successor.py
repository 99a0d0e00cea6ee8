"""Where a study is written that is to replace another one, which stays until its successor is whole.

The successor comes about in a directory of its own, beside what is there, and takes its place at the end. So nothing
of the earlier one is lost, however the later one ends; that is then left in ``unfinished-NAME``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from streamer.errors import SinkError, UsageError
from streamer.files.scratch import undo_at_once, undo_no_more
from streamer.rundir.lock import IN_USE, RunLock
from streamer.rundir.paths import LOCK, RESERVE
from streamer.rundir.rundir import check_out, discard, under_way
from streamer.rundir.written import own_files
from streamer.studies.free_place import refuse_others


def _none(out: Path) -> Iterable[Path]:
    return ()


def _all_ours(out: Path) -> Mapping[str, bool]:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """A study's name and its files, the document last; ``runs`` finds the run directories that go with it.

    ``ours`` tells of files in a directory whether a study has written them: those of others are not written over.
    """

    name: str
    files: Sequence[str]
    runs: Callable[[Path], Iterable[Path]] = _none
    ours: Callable[[Path], Mapping[str, bool]] = _all_ours


class Successor:
    """The study of a ``kind`` that is written in ``path``, and belongs in ``out``, which it is to replace.

    Where the two are one there is nothing to replace, else ``out`` is locked. Raises UsageError when another study is
    being written there.
    """

    def __init__(self, kind: Kind, out: Path, path: Path) -> None:
        self.out = out
        self.path = path
        self._kind = kind
        self._replacing, self._moving = (out / f".{doing}-{kind.name}" for doing in ("replacing", "moving"))
        """Where it is once it is whole: a kill in between is made up for."""
        self._lock: RunLock | None = None
        if self.replaces:
            if any(under_way(entry) for entry in out.iterdir() if entry.is_dir()):
                raise UsageError(f"--out {out}: {IN_USE}")
            self._lock = RunLock(out)
            undo_at_once(self._leave)

    @property
    def replaces(self) -> bool:
        """There is something that it is to replace."""
        return self.path != self.out

    @property
    def notes(self) -> list[str]:
        """What is to be known of it before it runs."""
        if not self.replaces:
            return []
        return [f"what is in {self.out} stays until this has come to its end; until then this is in {self.path}"]

    def __enter__(self) -> Successor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        """Lets others write there; a successor of which there is nothing leaves no trace."""
        if self._lock is None:
            return
        undo_no_more(self._leave)
        if self.replaces:
            with suppress(OSError):
                self.path.rmdir()
        self._lock.release()

    def clear(self) -> None:
        """Ends what a kill has interrupted, and takes away what an earlier successor has left. Raises OSError."""
        self._finish()
        if not self.path.is_dir():
            return
        ours = (*self._kind.files, *(f"{name}.writing" for name in self._kind.files), RESERVE)
        for entry in sorted(self.path.iterdir()):
            if entry.is_dir():
                discard(entry)
            elif entry.name in ours:
                entry.unlink()

    def take_over(self) -> None:
        """Puts it in the place of the earlier one; then ``path`` is ``out``.

        Raises SinkError, also when somebody else's file has come there meanwhile, and then it stays where it is.
        """
        if not self.replaces:
            return
        try:
            self._refuse_others()
        except UsageError as error:
            raise SinkError(f"{error}; until then this is in {self.path}") from error
        with _writing(self.out):
            self.path.rename(self._replacing)
            self.path = self.out
            try:
                self._finish()
            except OSError:
                raise
            except BaseException:  # a signal: it waits the moment that this takes
                self._finish()
                raise

    def _refuse_others(self) -> None:
        """Raises UsageError when a file is in the way that no study, or run of one, has written."""
        refuse_others(self.out, self._kind.ours(self.out))
        for run in _directories(self.path):
            ours = {file.name for file in own_files(self.out / run.name)}
            refuse_others(self.out, {f"{run.name}/{file.name}": file.name in ours for file in run.iterdir()})

    def _finish(self) -> None:
        if self._replacing.is_dir():
            self._put_away()
        if self._moving.is_dir():
            self._move()

    def _put_away(self) -> None:
        """Takes away the earlier one, its document first: that would speak of runs that are others by now."""
        for name in reversed(self._kind.files):
            (self.out / name).unlink(missing_ok=True)
        for run in (*self._kind.runs(self.out), *(self.out / run.name for run in _directories(self._replacing))):
            discard(run)
        self._replacing.rename(self._moving)

    def _move(self) -> None:
        for run in _directories(self._moving):
            (self.out / run.name).mkdir(exist_ok=True)
            for file in run.iterdir():
                os.replace(file, self.out / run.name / file.name)
            run.rmdir()
        document = self._moving / self._kind.files[-1]
        for file in sorted(self._moving.iterdir(), key=lambda file: file == document):
            os.replace(file, self.out / file.name)
        self._moving.rmdir()


def successor(kind: Kind, out: Path, *, overwrite: bool) -> Successor:
    """That of what is in ``out``, if anything is.

    Raises UsageError when the directory is taken, or a file of somebody else's would be written over, SinkError when
    what is left in it cannot be put away.
    """
    check_out(out, overwrite=overwrite)
    refuse_others(out, kind.ours(out))
    taken = out.is_dir() and any(entry.name != LOCK for entry in out.iterdir())
    with _writing(out):
        made = Successor(kind, out, _unfinished(out, kind) if taken else out)
        with ExitStack() as undo:
            undo.push(made)
            made.clear()
            undo.pop_all()
    return made


def going_on(kind: Kind, path: Path) -> Successor:
    """That of the study in ``path``, which goes on. Raises UsageError when it is under way, and SinkError."""
    if under_way(path):
        raise UsageError(f"{path}: {IN_USE}")
    with _writing(path):
        unfinished = path.is_dir() and path == _unfinished(path.parent, kind)
        return Successor(kind, path.parent if unfinished else path, path)


def _unfinished(out: Path, kind: Kind) -> Path:
    return out / f"unfinished-{kind.name}"


def _directories(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir())


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SinkError(f"cannot write into {out}: {error.strerror}") from error
