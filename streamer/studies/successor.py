"""A study that replaces an earlier one, which stays until its successor is whole.

The successor is written into a directory of its own, ``unfinished-NAME`` within that of the earlier study, and takes
its place at the end. So nothing of the earlier study is lost, however the successor ends.
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
    """A study's name and its files, the document last; ``runs`` finds its run directories.

    ``ours`` returns whether a study has written the files in a directory: those of others are not written over.
    """

    name: str
    files: Sequence[str]
    runs: Callable[[Path], Iterable[Path]] = _none
    ours: Callable[[Path], Mapping[str, bool]] = _all_ours


class Successor:
    """The study of a ``kind`` that is written in ``path`` and replaces the one in ``out``.

    When the two are the same directory there is nothing to replace, else ``out`` is locked. Raises UsageError when
    another study is being written there.
    """

    def __init__(self, kind: Kind, out: Path, path: Path) -> None:
        self.out = out
        self.path = path
        self._kind = kind
        self._replacing, self._moving = (out / f".{doing}-{kind.name}" for doing in ("replacing", "moving"))
        """Where the study is while it takes over: after a kill in between, `clear` finishes that."""
        self._lock: RunLock | None = None
        if self.replaces:
            if any(under_way(entry) for entry in out.iterdir() if entry.is_dir()):
                raise UsageError(f"--out {out}: {IN_USE}")
            self._lock = RunLock(out)
            undo_at_once(self._leave)

    @property
    def replaces(self) -> bool:
        """Whether there is something to replace."""
        return self.path != self.out

    @property
    def notes(self) -> list[str]:
        """Notes before the study runs."""
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
        """Releases the lock, and removes a successor's empty directory."""
        if self._lock is None:
            return
        undo_no_more(self._leave)
        if self.replaces:
            with suppress(OSError):
                self.path.rmdir()
        self._lock.release()

    def clear(self) -> None:
        """Finishes what a kill has interrupted, and deletes what an earlier successor has left. Raises OSError."""
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
        """Puts the study in the place of the earlier one; then ``path`` is ``out``.

        Raises SinkError, also when another's file has come there meanwhile; then the study stays where it is.
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
            except BaseException:  # a signal waits until this is done
                self._finish()
                raise

    def _refuse_others(self) -> None:
        """Raises UsageError for a file in the way that neither a study nor one of its runs has written."""
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
        """Deletes the earlier study, its document first: it would describe runs that have been replaced."""
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
    """The successor of the study in ``out``; without one the new study is written into ``out`` itself.

    Raises UsageError when the directory may not be used, or another's file would be written over, and SinkError when
    what is left in it cannot be deleted.
    """
    check_out(out, overwrite=overwrite)
    refuse_others(out, kind.ours(out))
    occupied = out.is_dir() and any(entry.name != LOCK for entry in out.iterdir())
    with _writing(out):
        made = Successor(kind, out, _unfinished(out, kind) if occupied else out)
        with ExitStack() as undo:
            undo.push(made)
            made.clear()
            undo.pop_all()
    return made


def going_on(kind: Kind, path: Path) -> Successor:
    """The place of the study in ``path``, which goes on. Raises UsageError while it is running, and SinkError."""
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
