"""A bare Debian in a folder, and commands run in it as a container engine would run them.

Whatever is mounted lies in a mount namespace that goes with the command: nothing is left, however it ends.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.runs import Finished

TOOLS = ("mmdebstrap", "unshare", "setpriv")
SLIM = ("doc", "locale", "man")
"""Folders of /usr/share that Debian's slim images leave out."""
CERTIFICATES = "/etc/ssl/certs"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What a container engine sets when an image says nothing."""


def why_not() -> str | None:
    """Why no bare root can be made here; None when it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root can make a bare Debian and change into it"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"not installed here: {', '.join(missing)}" if missing else None


class NoMirror(Exception):
    """No bare Debian could be made; the message is mmdebstrap's last error."""


def make(root: Path, suite: str) -> None:
    """A bare Debian of ``suite`` in ``root``, as its slim images are. Raises NoMirror."""
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in SLIM]
    # dpkg need not wait for the disk: nobody wants this root after a power cut.
    command = ["mmdebstrap", "--variant=minbase", "--dpkgopt=force-unsafe-io", *excluded, suite, str(root)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        raise NoMirror((errors or ["mmdebstrap printed nothing"])[-1])


def remove(root: Path) -> None:
    """Removes a root, and nothing that is mounted in it."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


@dataclass(frozen=True, slots=True)
class Command:
    """What is run in a root, and what it sees there.

    By place: of ``copies`` it has its own, ``views`` of this machine it can only read, and ``mounts`` it can write.
    """

    words: Sequence[str]
    user: str = "0:0"
    directory: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, Path] = field(default_factory=dict)
    views: Mapping[str, Path] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    read_only: bool = False
    network: bool = True

    def run(self, root: Path) -> Finished:
        """Runs it to its end in ``root``, as process 1 and, unless it is root's, without any capability."""
        isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if self.network else ["--net"])]
        command = [*isolated, "sh", "-euc", self._script(root)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return Finished(done.returncode, done.stdout, done.stderr)

    def _script(self, root: Path) -> str:
        lines = [
            _mount("--bind", root, root),
            _mount("--rbind", "/dev", root / "dev"),
            _mount("--rbind", "/sys", root / "sys"),
            _mount("--types=proc", "proc", root / "proc"),
            _mount("--types=tmpfs", "tmpfs", root / "dev/shm"),
        ]
        for place, source in self.copies.items():
            inside = root / place.lstrip("/")
            lines += [f"mkdir -p {_quoted(inside)}", _mount("--types=tmpfs", "tmpfs", inside)]
            lines.append(f"cp -rL {_quoted(source)}/. {_quoted(inside)}")
        for place, source in {**self.views, **self.mounts}.items():
            inside = root / place.lstrip("/")
            make_place = "mkdir -p" if source.is_dir() else "touch"
            lines += [f"mkdir -p {_quoted(inside.parent)}", f"{make_place} {_quoted(inside)}"]
            lines.append(_mount("--bind", source, inside))
            if place in self.views:
                lines.append(_mount("--options=remount,bind,ro", inside))
        if self.read_only:
            lines.append(_mount("--options=remount,bind,ro", root))
            lines.append(_mount("--types=tmpfs", "tmpfs", root / "tmp"))
        return "\n".join([*lines, f"exec {shlex.join(self._entered(root))}"])

    def _entered(self, root: Path) -> list[str]:
        uid, _, gid = self.user.partition(":")
        drop = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"] if int(uid) else []
        become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *drop]
        variables = [f"{name}={value}" for name, value in {"PATH": DEFAULT_PATH, **self.environment}.items()]
        return ["chroot", str(root), *become, "env", f"--chdir={self.directory}", "-i", *variables, *self.words]


def _mount(*words: str | Path) -> str:
    return shlex.join(["mount", *map(str, words)])


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def installing(words: Sequence[str], environment: Mapping[str, str] | None = None) -> Command:
    """A command of root that reaches the package registry as this machine does, by its settings and certificates."""
    settings = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_")) or name.upper().endswith("_PROXY")
    }
    known = (CERTIFICATES, "/etc/resolv.conf", "/etc/pip.conf", "/etc/xdg/pip")
    places = [place for place in (*known, *settings.values()) if place.startswith("/") and Path(place).exists()]
    views = {place: Path(place).resolve() for place in sorted(set(places)) if not _within_another(place, places)}
    # A package that brings certificates writes there: into this command's own.
    copies = {CERTIFICATES: views.pop(CERTIFICATES)} if CERTIFICATES in views else {}
    return Command(
        words,
        environment={"DEBIAN_FRONTEND": "noninteractive", **settings, **(environment or {})},
        copies=copies,
        views=views,
    )


def _within_another(place: str, places: Sequence[str]) -> bool:
    return any(Path(other) in Path(place).parents for other in places)
