"""In a bare Debian: the image that the Containerfile makes, and an OpenCV that finds no libraries of a desktop."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.install import chroots
from tests.install.checkout import check_out
from tests.install.chroots import Command, installing
from tests.install.containerfile import Image, build
from tests.runs import ROOT, Finished, check_conserved, manifest

_WHY_NOT = chroots.why_not() or ("torch is installed: the base pass does it" if find_spec("torch") else None)
pytestmark = [
    pytest.mark.skipif(_WHY_NOT is not None, reason=f"no bare root: {_WHY_NOT}"),
    pytest.mark.timeout(900),  # the first test waits for Debian's packages and the registry's
]

CLIP = "/samples/street.mp4"
FRAMES = 30
STRANGER = "4321:4321"
"""A user and a group that the image does not know."""


@dataclass(frozen=True, slots=True)
class Built:
    """The finished image, and the stage in which it was built, which has what installs packages."""

    image: Image
    workshop: Image


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The Containerfile carried out, on what git would check out."""
    work, source = tmp_path_factory.mktemp("images"), tmp_path_factory.mktemp("source")
    check_out(source)
    try:
        *_, workshop, image = build((ROOT / "Containerfile").read_text(encoding="utf-8"), source, work)
        yield Built(image, workshop)
    except chroots.NoMirror as error:
        pytest.skip(f"no bare root: {error}")
    finally:
        chroots.remove(work)


def folder_of(user: str, folder: Path) -> Path:
    """A new folder that belongs to ``user``."""
    folder.mkdir()
    os.chown(folder, *map(int, user.split(":")))
    return folder


def in_container(command: Command, image: Image, **mounts: Path) -> Finished:
    """As ``podman run --read-only --tmpfs /tmp --network none``, each of ``mounts`` at the root."""
    places = {f"/{name}": folder for name, folder in mounts.items()}
    return replace(command, mounts=places, read_only=True, network=False).run(image.root)


def replay(image: Image) -> Command:
    """The main job, as the image starts it."""
    return image.command("replay", CLIP, "--frames", str(FRAMES), "--out", "/runs/x")


@pytest.mark.slow
def test_the_image_does_the_main_job_on_a_root_that_cannot_be_written(built: Built, tmp_path: Path) -> None:
    assert int(built.image.user.partition(":")[0]) > 0
    runs = folder_of(built.image.user, tmp_path / "runs")
    done = in_container(replay(built.image), built.image, runs=runs)
    assert done.code == 0, done.err
    assert check_conserved(runs / "x").total() == FRAMES
    (note,) = [note for note in manifest(runs / "x")["notes"] if "STREAMER_CACHE" in note]
    assert note.startswith("the cache /cache cannot be written (Read-only file system)")


@pytest.mark.slow
def test_the_image_keeps_what_it_makes_in_a_volume_for_the_cache(built: Built, tmp_path: Path) -> None:
    runs, cache = (folder_of(built.image.user, tmp_path / name) for name in ("runs", "cache"))
    done = in_container(replay(built.image), built.image, runs=runs, cache=cache)
    assert done.code == 0, done.err
    assert not [note for note in manifest(runs / "x")["notes"] if "STREAMER_CACHE" in note]
    assert list(cache.rglob("*.xml"))


def test_the_clip_and_a_run_without_out_have_the_names_of_the_readme(built: Built, tmp_path: Path) -> None:
    runs = folder_of(built.image.user, tmp_path / "runs")
    done = in_container(
        built.image.command("replay", CLIP.lstrip("/"), "--engine=null", "--frames=5"), built.image, runs=runs
    )
    assert done.code == 0, done.err
    (made,) = runs.iterdir()
    assert check_conserved(made).total() == 5


@pytest.mark.slow
@pytest.mark.parametrize("home", [None, "/nonexistent"])
def test_a_user_without_passwd_entry_and_home_replays_and_leaves_the_working_directory_alone(
    home: str | None, built: Built, tmp_path: Path
) -> None:
    runs, here = (folder_of(STRANGER, tmp_path / name) for name in ("runs", "here"))
    variables = {} if home is None else {"HOME": home}  # and no STREAMER_CACHE, which the image sets
    main_job = replace(replay(built.image), user=STRANGER, directory="/here", environment=variables)
    done = in_container(main_job, built.image, runs=runs, here=here)
    assert done.code == 0, done.err
    assert check_conserved(runs / "x").total() == FRAMES
    assert [note for note in manifest(runs / "x")["notes"] if "STREAMER_CACHE" in note]
    assert list(here.iterdir()) == [], "it could have been written, and was not to be"


def test_a_working_directory_that_cannot_be_written_is_not_needed(built: Built, tmp_path: Path) -> None:
    runs, here = folder_of(STRANGER, tmp_path / "runs"), folder_of("0:0", tmp_path / "here")
    command = built.image.command("replay", CLIP, "--engine=null", "--frames=5", "--out=/runs/x")
    done = in_container(replace(command, user=STRANGER, directory="/here"), built.image, runs=runs, here=here)
    assert done.code == 0, done.err
    assert list(here.iterdir()) == []


@pytest.fixture(scope="module")
def with_desktop_opencv(built: Built) -> Image:
    """The stage that built the image, with opencv-python again, whose libraries it lacks."""
    workshop = replace(built.workshop, entrypoint=("/opt/streamer/bin/streamer",))
    carry_out("python -m ensurepip --default-pip", workshop)
    carry_out("python -m pip uninstall --yes opencv-python-headless", workshop)
    carry_out("python -m pip install --no-deps opencv-python", workshop)
    return workshop


def carry_out(mend: str, image: Image) -> None:
    """Does what a message says, in streamer's environment."""
    path = f"/opt/streamer/bin:{chroots.DEFAULT_PATH}"
    done = installing(shlex.split(mend), {"PATH": path, "PIP_CACHE_DIR": "/var/cache/pip"}).run(image.root)
    assert done.code == 0, f"{mend}\n{done.out[-2000:]}\n{done.err[-2000:]}"


def main_job_in(image: Image, runs: Path) -> Finished:
    """The main job as root, with the clip where the wheel has it."""
    clip = next((image.root / "opt/streamer").rglob("street.mp4")).relative_to(image.root)
    command = image.command("replay", f"/{clip}", "--frames", str(FRAMES), "--out", "/runs/x", "--overwrite")
    return in_container(command, image, runs=runs)


@pytest.mark.slow
def test_without_a_desktop_opencv_is_missed_only_where_it_is_used_and_both_mends_mend(
    with_desktop_opencv: Image, tmp_path: Path
) -> None:
    image, runs = with_desktop_opencv, folder_of("0:0", tmp_path / "runs")
    assert in_container(image.command("devices"), image).code == 0
    failed = main_job_in(image, runs)
    assert failed.code == 1
    mends = re.search(
        r"OpenCV cannot be loaded, lib[\w.-]+\.so\.\d+ is missing: on Debian (?P<packages>apt-get install [^;]+); "
        r"or (?P<out>pip uninstall [^,]+), then (?P<headless>pip install [^,]+), which serves as well$",
        failed.error,
    )
    assert mends is not None, failed.error
    carry_out(mends["out"], image)
    carry_out(mends["headless"], image)
    assert main_job_in(image, runs).code == 0
    carry_out("pip uninstall --yes opencv-python-headless", image)
    carry_out("pip install --no-deps opencv-python", image)
    assert main_job_in(image, runs).error == failed.error
    carry_out("apt-get update", image)
    carry_out(mends["packages"].replace("install", "install --yes --no-install-recommends", 1), image)
    done = main_job_in(image, runs)
    assert done.code == 0, done.err
