"""A Containerfile carried out in folders: the few instructions that the project's own one has."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.install import chroots


@dataclass(frozen=True, slots=True)
class Image:
    """A root, and how a command is started in it."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = "0:0"
    directory: str = "/"
    entrypoint: tuple[str, ...] = ()

    def command(self, *arguments: str) -> chroots.Command:
        """The image's own command with ``arguments``."""
        return chroots.Command(
            [*self.entrypoint, *arguments],
            user=self.user, directory=self.directory, environment=self.environment,
        )  # fmt: skip


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction's name and its arguments in one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, arguments = line.strip().partition(" ")
            yield name, arguments.strip()


def build(text: str, source: Path, work: Path) -> list[Image]:
    """The images of all stages, the finished one last, in folders of ``work``. Raises NoMirror."""
    stages: list[Image] = []
    names: dict[str, Image] = {}
    name = ""
    for instruction, arguments in instructions(text):
        if instruction == "FROM":
            base, _, name = arguments.partition(" AS ")
            stages.append(_from(base, names, work / f"stage-{len(stages)}"))
        else:
            stages[-1] = _carried_out(instruction, arguments, stages[-1], source, names)
        names[name] = stages[-1]
    return stages


def _from(base: str, names: Mapping[str, Image], root: Path) -> Image:
    if base in names:
        subprocess.run(["cp", "--archive", str(names[base].root), str(root)], check=True)
        return replace(names[base], root=root)
    tag = re.fullmatch(r".*/debian:(\w+)-slim", base)
    assert tag is not None, f"no image of Debian's: {base}"
    chroots.make(root, tag[1])
    return Image(root)


def _carried_out(name: str, arguments: str, image: Image, source: Path, names: Mapping[str, Image]) -> Image:
    match name:
        case "RUN":
            done = chroots.installing(["sh", "-c", arguments], image.environment).run(image.root)
            assert done.code == 0, f"{arguments}\n{done.out[-2000:]}\n{done.err[-2000:]}"
        case "COPY":
            _copy(arguments.split(), image.root, source, names)
        case "ENV":
            key, _, value = arguments.partition("=")
            return replace(image, environment={**image.environment, key: value})
        case "USER":
            return replace(image, user=arguments)
        case "WORKDIR":
            return replace(image, directory=arguments)
        case "ENTRYPOINT":
            return replace(image, entrypoint=tuple(json.loads(arguments)))
        case _:
            raise AssertionError(f"this test knows no {name}: it would not be carried out")
    return image


def _copy(words: list[str], root: Path, source: Path, names: Mapping[str, Image]) -> None:
    """Files go into the place that ends in a slash; a folder becomes the place."""
    link = []
    if words[0].startswith("--from="):
        link = ["--link"]  # hundreds of MB, which nobody changes in place: what installs packages replaces files
        source = names[words.pop(0).removeprefix("--from=")].root
    *copied, place = words
    inside = root / place.strip("/")
    (inside if place.endswith("/") else inside.parent).mkdir(parents=True, exist_ok=True)
    assert place.endswith("/") or not inside.exists()
    for one in copied:
        subprocess.run(["cp", "--archive", *link, str(source / one.strip("/")), str(inside)], check=True)
