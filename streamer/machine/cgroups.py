"""Control groups: how much CPU those of this process allow it, and how often they throttled it.

A group's quota holds for all processes in it, and groups are nested: the smallest quota from the process's own group
to the root counts. Versions 1 and 2 of control groups are read, also side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

PROC = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Group:
    """A directory in the hierarchy of the CPU controller, and its version of control groups."""

    directory: Path
    version: int

    def quota(self) -> float | None:
        """The CPU that it allows, in cores; None without a limit."""
        if self.version == 2:
            limit, _, period = _read(self.directory / "cpu.max").partition(" ")
        else:
            limit = _read(self.directory / "cpu.cfs_quota_us")  # -1: none
            period = _read(self.directory / "cpu.cfs_period_us")
        if limit.isdigit() and period.isdigit() and int(limit) and int(period):
            return int(limit) / int(period)
        return None

    def throttled(self) -> int:
        """How often it has throttled its processes."""
        for line in _read(self.directory / "cpu.stat").splitlines():
            name, _, count = line.partition(" ")
            if name == "nr_throttled" and count.isdigit():
                return int(count)
        return 0


@cache
def own_groups() -> tuple[Group, ...]:
    """The groups of this process, looked up once: a process stays in its groups."""
    return tuple(groups())


def quota(found: tuple[Group, ...]) -> float | None:
    """The smallest of the groups' quotas, in cores; None without one."""
    return min((cores for group in found if (cores := group.quota()) is not None), default=None)


def groups(proc: Path = PROC) -> list[Group]:
    """The mounted groups from a process's own to the root; ``proc`` is the process's directory in /proc."""
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

    In a container the path may be outside of the mount: then the mounted group is the process's own.
    """
    own, top = PurePosixPath(path), PurePosixPath(root)
    below = own.relative_to(top) if own.is_relative_to(top) and ".." not in own.parts else PurePosixPath()
    return [mounted / one for one in (below, *below.parents)]


def _plain(field: str) -> str:
    """The path in a field of mountinfo, where a space is \\040."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
