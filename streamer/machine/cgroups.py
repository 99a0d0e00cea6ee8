"""Control groups: what those that this process is in allow it of the CPU, and how often they held it back.

A group's quota holds for all that is in it, and groups are nested: the smallest from the process's own group to the
root counts. Of version 1 and 2 of control groups, and of the two side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

PROC = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Group:
    """A directory of the hierarchy that rules the CPU, of a version of control groups."""

    directory: Path
    version: int

    def quota(self) -> float | None:
        """The cores' worth of CPU that it allows; None: as much as there is."""
        if self.version == 2:
            limit, _, period = _read(self.directory / "cpu.max").partition(" ")
        else:
            limit = _read(self.directory / "cpu.cfs_quota_us")  # -1: none
            period = _read(self.directory / "cpu.cfs_period_us")
        if limit.isdigit() and period.isdigit() and int(limit) and int(period):
            return int(limit) / int(period)
        return None

    def throttled(self) -> int:
        """How often it has held back what is in it."""
        for line in _read(self.directory / "cpu.stat").splitlines():
            name, _, count = line.partition(" ")
            if name == "nr_throttled" and count.isdigit():
                return int(count)
        return 0


@cache
def own_groups() -> tuple[Group, ...]:
    """Those of this process, looked up once: it stays where it was started."""
    return tuple(groups())


def quota(found: tuple[Group, ...]) -> float | None:
    """The smallest of their quotas; None where none has one."""
    return min((cores for group in found if (cores := group.quota()) is not None), default=None)


def groups(proc: Path = PROC) -> list[Group]:
    """The groups from a process's own to the root as far as they are mounted; ``proc`` is its directory in /proc."""
    paths = _paths(proc)
    found = []
    for line in _read(proc / "mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), [*after.split(" ", 2), "", "", ""][:3]
        version = {"cgroup": 1, "cgroup2": 2}.get(kind)
        if version is None or len(fields) < 5 or (version == 1 and "cpu" not in options.split(",")):
            continue
        if (path := paths.get(version)) is not None:
            found += [Group(one, version) for one in _upwards(Path(_plain(fields[4])), _plain(fields[3]), path)]
    return found


def _paths(proc: Path) -> dict[int, str]:
    """The process's group in each version's hierarchy."""
    paths = {}
    for line in _read(proc / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            paths[2] = path
        elif "cpu" in controllers.split(","):
            paths[1] = path
    return paths


def _upwards(mounted: Path, root: str, path: str) -> list[Path]:
    """The directories from the group at ``path`` up to where the hierarchy is ``mounted``, from its ``root`` on.

    In a container the path may be one outside: then what is mounted is the process's own.
    """
    own, top = PurePosixPath(path), PurePosixPath(root)
    below = own.relative_to(top) if own.is_relative_to(top) and ".." not in own.parts else PurePosixPath()
    return [mounted / one for one in (below, *below.parents)]


def _plain(field: str) -> str:
    """A path as mountinfo has it, where a space is \\040."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
