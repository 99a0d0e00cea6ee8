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


def names(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


LAYERS: dict[str, list[str]] = {
    "data": names("errors frame detections ledger arrivals schedule coco published source"),
    "pure helpers": names("""
        age agreement annotate answer arenas bootstrap bundled cache canary clock columns comparison csv_rows
        defects distribution evaluation faults faults.armed faults.arrivals faults.disk faults.plan faults.process
        finished freshness gaps hashing hdr_log link load load_workers machine mending models
        models.checkpoint models.derived models.describing models.facts models.files models.finding models.labels
        models.model models.openvino_facts models.pt_facts models.published models.store models.trial opencv
        openvino_quiet percentiles postprocess preprocess processes progress pyav rundir settings size_changes
        sizes slo soak soak.* sources.addresses streaming summary surroundings table tail taken ultralytics_quiet
        unaccounted versions video_extent video_index windows witness workers
    """),
    "source, engines, sink": names("""
        benchmark_app engines engines.* faults.sink faults.source faults.times models.exporting models.importing
        models.inventory models.pull
        models.quantizing pictures pictures.* sample scene sink sources sources.camera sources.connection
        sources.fingerprint sources.images sources.live sources.opening sources.stream
        sources.synthetic sources.video street street.* truth video_reader video_writer
    """),
    "pipeline": names("""
        account assembly camera detector doubts emission faults.engine faults.injection golden lookahead manifest
        measuring observer opened pieces pipeline priming reception replacing rounds run_time serving session stream
        vigil warmup watchdog
    """),
    "run": names("run api pieces_found repair studies studies.* verify verify.*"),
    "cli": names("cli cli.* __main__"),
}
"""From the bottom to the top: a module imports from its own layer and from those below it."""

VENDORS = {
    "openvino": ["openvino_quiet"],
    "torch": ["engines.pytorch", "models.pt_facts"],
    "ultralytics": ["ultralytics_quiet", "models.checkpoint", "models.exporting"],
    "av": [
        *("pyav", "pieces_found", "video_reader", "video_writer", "video_index"),
        *("sources.connection", "sources.stream", "verify.video"),
    ],
    "cv2": ["opencv"],
    "click": ["cli.*"],
    "rich": ["cli.*"],
    "matplotlib": ["pictures.*"],
    "pycocotools": ["evaluation"],
    "yaml": ["models.labels"],
    "psutil": ["taken"],
    "nncf": ["models.quantizing"],
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


def layer_of(name: str) -> int:
    """The layer's place; fails when the module stands in none, or in two."""
    places = [
        place for place, patterns in enumerate(LAYERS.values()) if any(fnmatch(name, pattern) for pattern in patterns)
    ]
    assert len(places) == 1, f"{name} stands in {len(places)} layers: name it in LAYERS"
    return places[0]


@pytest.mark.parametrize("name", [name for name in modules() if name])
def test_imports_go_one_way(name: str) -> None:
    above = {other for other in own_imports(name) if layer_of(other) > layer_of(name)}
    assert not above, f"{name} imports from a layer above its own: {sorted(above)}"


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


def test_the_package_itself_imports_nothing_of_its_own_until_asked() -> None:
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
    assert callers("create_task_group", "open_nursery", "create_task") == {"pipeline", "cli.running"}


def test_threads_are_made_in_one_place() -> None:
    assert callers("Thread", "call_soon_threadsafe", "run_sync_soon") == {"workers"}
    assert callers("to_thread.run_sync", "ThreadPoolExecutor") == set()


def test_processes_are_started_in_one_place() -> None:
    starting = callers("Process", "Popen", "subprocess.run", "open_process", "run_process")
    assert starting - {"taken"} == {"processes"}  # psutil has a class of that name, which starts none


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


def test_importing_streamer_loads_neither_torch_nor_openvino() -> None:
    loaded = loaded_by("import streamer")
    assert "streamer" in loaded
    assert not loaded & {"openvino", "torch", "ultralytics", "matplotlib", "cv2", "av", "numpy", "anyio", "click"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_nothing_heavy(option: str) -> None:
    loaded = loaded_by(command(option))
    assert "click" in loaded
    assert not loaded & {"openvino", "torch", "ultralytics", "matplotlib", "cv2", "av", "numpy", "anyio", "rich"}


@pytest.mark.parametrize("name", ["replay", "bench", "parity", "engines", "devices"])
def test_help_of_a_command_loads_no_runtime(name: str) -> None:
    assert not loaded_by(command(name, "--help")) & {"torch", "ultralytics", "matplotlib"}


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
"""Code after which a process tells when it reaches for the network or starts another process."""


def forbidden(code: str, *, cwd: Path, home: Path) -> list[str]:
    """What ``code`` did that it must not: the network, other processes, files in the user's home."""
    home.mkdir()
    surroundings = environment({"HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)})
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + code], cwd=cwd, env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("FORBIDDEN")]
    return said + [str(path.relative_to(home)) for path in home.rglob("*")]


def test_what_watches_for_the_network_sees_it(tmp_path: Path) -> None:
    code = "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError:\n    pass"
    assert any("socket.connect" in line for line in forbidden(code, cwd=tmp_path, home=tmp_path / "home"))


@pytest.mark.parametrize("engine", ["onnx", "ir", "ir-auto-shared", "null"])
def test_a_replay_touches_neither_the_network_nor_the_users_home(engine: str, tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    write_video(tmp_path / "clip.mp4", 5)
    arguments = ("--engine", engine, "--model", str(COCO_MODEL), "--fps", "max", "--quiet", "--out", "run")
    assert forbidden(command("replay", "clip.mp4", *arguments), cwd=tmp_path, home=tmp_path / "home") == []


@pytest.mark.parametrize("arguments", [("devices",), ("engines", "--model")])
def test_lists_touch_neither_the_network_nor_the_users_home(
    arguments: tuple[str, ...], tmp_path: Path, tiny_model: Path
) -> None:
    full = (*arguments, str(tiny_model)) if "--model" in arguments else arguments
    assert forbidden(command(*full), cwd=tmp_path, home=tmp_path / "home") == []


@pytest.mark.skipif(
    not find_spec("ultralytics"), reason="Ultralytics is not installed: pip install 'streamer[torch]'"
)
def test_pytorch_touches_neither_the_network_nor_the_users_home(tmp_path: Path) -> None:
    if not BUNDLED_MODEL.is_file():
        pytest.skip("the bundled model is not trained yet")
    write_video(tmp_path / "clip.mp4", 5)
    arguments = ("--engine", "pytorch", "--fps", "max", "--quiet", "--out", "run", "--warmup", "0")
    assert forbidden(command("replay", "clip.mp4", *arguments), cwd=tmp_path, home=tmp_path / "home") == []
