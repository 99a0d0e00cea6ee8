"""Imports go one way, and each thing is loaded only where it is used."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.runs import BUNDLED_MODEL, COCO_MODEL, ROOT, SHARED, environment
from tests.videos import write_video

PACKAGE = ROOT / "streamer"


LAYERS = (
    "errors frame address ledger",
    "units files vendors",
    "schedule workers video detection",
    "machine models street",
    "engines sources stats",
    "accuracy rundir",
    "charts sink",
    "pipeline",
    "settings",
    "faults",
    "run",
    "repair",
    "studies",
    "api",
    "aio cli",
    "__main__",
)
"""Folders and files of the package, from the bottom to the top: each imports from those below its own line only."""
BESIDE = {"verification": {"errors", "vendors.pyav"}}
"""Folders that share nothing with the rest, and what they may import all the same: PyAV's versions made alike."""
MOST_ENTRIES = 36
ROLES = {
    "base": "what one of them is",
    "registry": "which of them serves",
    "sink": "the stage, and its faults",
    "study": "what a study does",
    "conduct": "a study from its first check to its last file",
    "document": "its JSON document",
    "rows": "its rows",
    "result": "what it came to",
    "chart": "its chart",
    "chart_panels": "the panels of that",
}
"""File names that stand in several folders, for the same role in each; ``cli`` and ``verification`` aside."""

VENDORS = {
    "openvino": ["vendors.openvino_quiet"],
    "torch": ["engines.pytorch", "models.torch_metadata"],
    "ultralytics": ["vendors.ultralytics_quiet", "models.checkpoint", "models.exporting"],
    "av": [
        *("vendors.pyav", "repair.segments_found", "video.reader", "video.planes", "video.writer", "video.index"),
        *("video.opening", "video.coded"),
        *("video.aftermath", "video.pictures_due", "video.sent"),
        *("video.packets", "video.parts", "video.pictures", "video.damage", "video.rate", "video.shape"),
        *(
            "video.picture_notes",
            "video.stream_choice",
            "sources.connecting",
            "sources.connection",
            "sources.live_decoder",
            "sources.network",
            "verification.video",
        ),
    ],
    "cv2": ["vendors.opencv"],
    "click": ["cli.*"],
    "rich": ["cli.*"],
    "matplotlib": ["charts.*", "studies.*.chart*"],
    "pycocotools": ["accuracy.mean_average_precision"],
    "yaml": ["models.labels"],
    "psutil": ["machine.usage", "machine.contention", "machine.info"],
    "filelock": ["rundir.lock"],
    "msgspec": [
        "files.hashing",
        "faults.plan",
        "models.store",
        "models.derived",
        "models.find",
        "studies.soak.study",
        "studies.soak.request",
    ],
    "nncf": ["models.quantize"],
    "onnxruntime": ["engines.onnxruntime"],
    "trio": [],
}
"""Who may import what."""


def name_of(path: Path) -> str:
    """A file's module name below ``streamer``; the package itself is the empty name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@lru_cache
def modules() -> dict[str, ast.Module]:
    """All modules, parsed."""
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def imported(tree: ast.AST) -> Iterator[str]:
    """The full names of what is imported anywhere in it, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package in full"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(name: str) -> set[str]:
    """The modules of streamer that a module imports; ``streamer.__version__`` is no module."""
    found = set()
    for full in imported(modules()[name]):
        if full.split(".")[0] != "streamer" or full == "streamer.__version__":
            continue
        parts = full.split(".")[1:]
        module = ".".join(parts) if ".".join(parts) in modules() else ".".join(parts[:-1])
        assert module, f"{name} imports {full}, which is no module"
        found.add(module)
    return found


def entry_of(name: str) -> str:
    """The folder or file at the top of the package that a module belongs to."""
    return name.split(".")[0]


def layer_of(entry: str) -> int:
    """The layer's place; fails when the entry stands in none, or in two."""
    places = [place for place, entries in enumerate(LAYERS) if entry in entries.split()]
    assert len(places) == 1, f"{entry} stands in {len(places)} layers: name it in LAYERS"
    return places[0]


@pytest.mark.parametrize("name", [name for name in modules() if name])
def test_imports_go_one_way(name: str) -> None:
    others = {other for other in own_imports(name) if entry_of(other) != entry_of(name)}
    if entry_of(name) in BESIDE:
        assert others <= BESIDE[entry_of(name)], f"{name} is to share nothing with the rest"
        return
    own = layer_of(entry_of(name))
    not_below = {other for other in others if entry_of(other) not in BESIDE and layer_of(entry_of(other)) >= own}
    assert not not_below, f"{name} imports from what does not lie below it: {sorted(not_below)}"


def test_who_may_import_what_stands_beside_the_layers() -> None:
    users = {name for name in modules() if name for other in own_imports(name) if entry_of(other) in BESIDE}
    assert {entry_of(name) for name in users} <= {*BESIDE, "api", "cli", "studies"}


def test_no_module_imports_itself_by_way_of_others() -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle of imports: {' -> '.join((*path, name))}"
        if name not in done:
            for other in sorted(own_imports(name)):
                visit(other, (*path, name))
            done.add(name)

    for name in modules():
        if name:
            visit(name, ())
    assert len(done) > 30


def test_the_top_of_the_package_stays_short() -> None:
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_a_file_name_comes_twice_only_for_one_role() -> None:
    homes: dict[str, list[str]] = {}
    for name in modules():
        *folder, base = name.split(".")
        if folder and folder[0] not in ("cli", "verification") and not (PACKAGE.joinpath(*folder, base)).is_dir():
            homes.setdefault(base, []).append(".".join(folder))
    twice = {base: places for base, places in homes.items() if len(places) > 1}
    assert twice.keys() == ROLES.keys(), twice


def test_the_package_itself_imports_nothing_of_its_own_until_it_is_used() -> None:
    body = modules()[""].body
    assert not [
        full for node in body if not isinstance(node, ast.If) for full in imported(node) if "streamer" in full
    ]


@pytest.mark.parametrize("vendor", list(VENDORS))
def test_a_vendor_is_imported_only_where_it_is_used(vendor: str) -> None:
    users = {name for name, tree in modules().items() if any(full.split(".")[0] == vendor for full in imported(tree))}
    strangers = {name for name in users if not any(fnmatch(name, pattern) for pattern in VENDORS[vendor])}
    assert not strangers, f"{sorted(strangers)} import {vendor}"
    assert users or not VENDORS[vendor], f"nobody imports {vendor}: has it been renamed?"


def calls(tree: ast.AST) -> Iterator[str]:
    """The names by which functions are called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def callers(*functions: str) -> set[str]:
    """Modules that call a function, whatever stands before its name."""
    return {
        name
        for name, tree in modules().items()
        if any(call == function or call.endswith(f".{function}") for call in calls(tree) for function in functions)
    }


def test_only_the_pipeline_makes_tasks_and_the_command_listens_for_signals() -> None:
    assert callers("create_task_group", "open_nursery", "create_task") == {"pipeline.pipeline", "cli.foreground"}


def test_threads_are_made_in_one_place() -> None:
    # A command hears signals on a thread of its own, also one like --help, which loads no anyio.
    assert callers("Thread") == {"cli.signals", "workers.threads", "workers.own_thread"}
    assert callers("to_thread.run_sync", "ThreadPoolExecutor") == set()


def test_processes_are_started_in_one_place() -> None:
    starting = callers("Process", "Popen", "subprocess.run", "open_process", "run_process")
    assert starting - {"machine.usage"} == {"workers.processes"}  # psutil has a class of that name, which starts none


def test_there_is_one_core_of_openvino() -> None:
    assert callers("Core", "ov.compile_model", "ov.read_model") == {"vendors.openvino_quiet"}


def test_the_library_never_prints() -> None:
    assert {name for name in callers("print", "echo", "stdout.write", "stderr.write") if "cli." not in name} == set()


def test_the_eventloops_own_clock_is_never_read() -> None:
    assert callers("current_time") == set(), "trio adds an offset to it"


def loaded_by(code: str, *, cwd: Path = ROOT) -> set[str]:
    """Top-level modules that are loaded after ``code`` has run in a fresh Python."""
    # A quirk of anyio's pytest plug-in or of a site's own start must not count: what is loaded before is left out.
    whole = f"import sys, json; before = set(sys.modules)\n{code}\n" + (
        "loaded = sorted({name.split('.')[0] for name in set(sys.modules) - before})\n"
        "print('LOADED ' + json.dumps(loaded), file=sys.__stderr__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", whole], cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    last = (done.stderr.splitlines() or [""])[-1]
    assert last.startswith("LOADED "), done.stderr
    names: list[str] = json.loads(last.removeprefix("LOADED "))
    return set(names)


def command(*arguments: str) -> str:
    """Code that runs ``streamer`` with ``arguments`` to its end."""
    return (
        f"sys.argv = {['streamer', *arguments]!r}\n"
        "from streamer.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )


@pytest.mark.extras
def test_importing_streamer_loads_neither_torch_nor_openvino() -> None:
    loaded = loaded_by("import streamer")
    assert "streamer" in loaded
    assert not loaded & {"openvino", "torch", "ultralytics", "matplotlib", "cv2", "av", "numpy", "anyio", "click"}


@pytest.mark.extras
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_nothing_heavy(option: str) -> None:
    loaded = loaded_by(command(option))
    assert "click" in loaded
    assert not loaded & {"openvino", "torch", "ultralytics", "matplotlib", "cv2", "av", "numpy", "anyio", "rich"}


@pytest.mark.extras
@pytest.mark.parametrize("name", ["replay", "bench", "parity", "engines", "devices"])
def test_help_of_a_command_loads_no_runtime(name: str) -> None:
    assert not loaded_by(command(name, "--help")) & {"torch", "ultralytics", "matplotlib"}


@pytest.mark.extras
def test_a_replay_loads_no_torch(tmp_path: Path, tiny_model: Path) -> None:
    write_video(tmp_path / "clip.mp4", 5)
    arguments = ("replay", "clip.mp4", "--model", str(tiny_model), "--fps", "max", "--quiet", "--out", "run")
    loaded = loaded_by(command(*arguments), cwd=tmp_path)
    assert {"openvino", "cv2", "av"} <= loaded
    assert not loaded & {"torch", "ultralytics", "requests", "trio"}


WATCHED = """
import sys
calls = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system")
def watch(event, arguments):
    if event in calls and "ldconfig" not in str(arguments[0]):
        print(f"FORBIDDEN {event} {arguments}", file=sys.__stderr__, flush=True)
sys.addaudithook(watch)
"""
"""Code after which a process reports each use of the network and each start of another process."""


def forbidden(code: str, *, cwd: Path, home: Path) -> list[str]:
    """The forbidden acts of ``code``: use of the network, other processes, files in the user's home."""
    home.mkdir()
    surroundings = environment({"HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)})
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + code], cwd=cwd, env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    reported = [line for line in done.stderr.splitlines() if line.startswith("FORBIDDEN")]
    return reported + [str(path.relative_to(home)) for path in home.rglob("*")]


def test_a_use_of_the_network_is_seen(tmp_path: Path) -> None:
    code = "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError:\n    pass"
    assert any("socket.connect" in line for line in forbidden(code, cwd=tmp_path, home=tmp_path / "home"))


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.parametrize("engine", ["onnx", "ir", "ir-auto-shared", "null"])
def test_a_replay_touches_neither_the_network_nor_the_users_home(engine: str, tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    write_video(tmp_path / "clip.mp4", 5)
    arguments = ("--engine", engine, "--model", str(COCO_MODEL), "--fps", "max", "--quiet", "--out", "run")
    assert forbidden(command("replay", "clip.mp4", *arguments), cwd=tmp_path, home=tmp_path / "home") == []


@pytest.mark.extras
@pytest.mark.parametrize("arguments", [("devices",), ("engines", "--model")])
def test_lists_touch_neither_the_network_nor_the_users_home(
    arguments: tuple[str, ...], tmp_path: Path, tiny_model: Path
) -> None:
    full = (*arguments, str(tiny_model)) if "--model" in arguments else arguments
    assert forbidden(command(*full), cwd=tmp_path, home=tmp_path / "home") == []


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.skipif(
    not find_spec("ultralytics"), reason="Ultralytics is not installed: pip install 'streamer[torch]'"
)
def test_pytorch_touches_neither_the_network_nor_the_users_home(tmp_path: Path) -> None:
    if not BUNDLED_MODEL.is_file():
        pytest.skip("the bundled model is not trained yet")
    write_video(tmp_path / "clip.mp4", 5)
    arguments = ("--engine", "pytorch", "--fps", "max", "--quiet", "--out", "run", "--warmup", "0")
    assert forbidden(command("replay", "clip.mp4", *arguments), cwd=tmp_path, home=tmp_path / "home") == []
