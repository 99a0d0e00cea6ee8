"""Ultralytics' weights are fetched once, checked, and held to their hash; an error without a network has the mend."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streamer.errors import ModelError, UsageError
from streamer.models import pull as pulling
from streamer.models.find import find_model
from streamer.models.importing import import_model
from streamer.models.published import FILES
from streamer.models.pull import pull
from streamer.models.store import place_of, read_entry
from tests.checkpoints import needs_torch, write_checkpoint
from tests.runs import environment

pytestmark = pytest.mark.extras


class Release(ThreadingHTTPServer):
    """A server of files on this machine; it records the requested names, and may promise more bytes than it sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requested: list[str] = []
        self.promised_too_much = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Release

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        self.server.requested.append(name)
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) + self.server.promised_too_much))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    """The release that ``pull`` fetches from, and a store of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Release() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(pulling, "RELEASE", server.address)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A checkpoint."""
    return write_checkpoint(tmp_path_factory.mktemp("weights") / "any.pt", "yolo11n").read_bytes()


def left_over(store: Path) -> list[str]:
    return sorted(entry.name for entry in store.iterdir() if entry.name.startswith("."))


@needs_torch
def test_pulled_weights_are_checked_kept_and_not_fetched_again(release: Release, weights: bytes) -> None:
    release.files["yolov5nu.pt"] = weights
    heard: list[tuple[int, int | None]] = []
    entry, new = pull("yolov5n", lambda received, total: heard.append((received, total)))
    assert new
    assert heard[-1] == (len(weights), len(weights))
    assert (entry.origin, entry.pulled, entry.trusted) == (f"{release.address}/yolov5nu.pt", True, True)
    assert find_model("yolov5n").files["pt"].read_bytes() == weights
    assert pull("yolov5n") == (entry, False)
    assert release.requested == ["yolov5nu.pt"]
    assert left_over(place_of("x").parent) == []


@needs_torch
def test_a_later_change_of_the_weights_is_an_error_with_both_hashes(
    release: Release, weights: bytes, tmp_path: Path
) -> None:
    release.files["yolo11n.pt"] = weights
    entry, _ = pull("yolo11n")
    release.files["yolo11n.pt"] = write_checkpoint(tmp_path / "other.pt", "yolo11n").read_bytes()
    shutil.rmtree(place_of("yolo11n"))
    with pytest.raises(ModelError, match=f"has changed: it was sha256 {entry.sha256} and is [0-9a-f]{{64}}"):
        pull("yolo11n")
    assert not place_of("yolo11n").exists()
    release.files["yolo11n.pt"] = weights
    assert pull("yolo11n")[0].sha256 == entry.sha256


def test_another_model_of_that_name_is_not_mistaken_for_the_weights(release: Release, tiny_model: Path) -> None:
    import_model(tiny_model, name="yolo11n")
    with pytest.raises(UsageError, match=r"another model yolo11n, of tiny\.xml: delete "):
        pull("yolo11n")
    assert release.requested == []


@needs_torch
def test_weights_that_were_brought_by_hand_are_not_fetched_again(
    release: Release, weights: bytes, tmp_path: Path
) -> None:
    (tmp_path / "yolo11n.pt").write_bytes(weights)
    entry, _ = import_model(tmp_path / "yolo11n.pt", trust=True)
    assert pull("yolo11n") == (entry, False)
    assert release.requested == []


@needs_torch
def test_a_broken_entry_is_fetched_again(release: Release, weights: bytes) -> None:
    release.files["yolo11n.pt"] = weights
    pull("yolo11n")
    find_model("yolo11n").path.write_bytes(b"")
    assert pull("yolo11n")[1] is True
    assert read_entry("yolo11n").files["yolo11n.pt"]["bytes"] == len(weights)


@needs_torch
def test_what_was_pulled_is_trusted_by_its_hash(release: Release, weights: bytes, tmp_path: Path) -> None:
    release.files["yolo11n.pt"] = weights
    pull("yolo11n")
    shutil.rmtree(place_of("yolo11n"))
    (tmp_path / "by-hand.pt").write_bytes(weights)
    assert import_model(tmp_path / "by-hand.pt", name="yolo11n")[0].trusted


@needs_torch
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("absent", "HTTP Error 404"),
        ("short", r"it ended after [\d,]+ of [\d,]+ bytes"),
        ("closed", "Connection refused"),
    ],
)
def test_without_a_whole_download_the_mend_is_stated_and_nothing_is_left(
    fault: str, says: str, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "short":
        release.files["yolo11n.pt"] = b"half"
        release.promised_too_much = 1_000_000
    if fault == "closed":
        monkeypatch.setattr(pulling, "RELEASE", "http://127.0.0.1:1")
    mend = r"; bring yolo11n\.pt here by other means, and: streamer models import yolo11n\.pt --name yolo11n --trust"
    with pytest.raises(ModelError, match=rf"cannot fetch http://127\.0\.0\.1:\d+/yolo11n\.pt: .*{says}.*{mend}"):
        pull("yolo11n")
    assert list(place_of("x").parent.iterdir()) == []


@needs_torch
def test_a_fetched_file_that_is_no_model_is_not_kept(release: Release) -> None:
    release.files["yolo11n.pt"] = b"<html>please log in</html>"
    with pytest.raises(ModelError, match=r"is not a whole \.pt of PyTorch"):
        pull("yolo11n")
    assert list(place_of("x").parent.iterdir()) == []


def test_without_pytorch_nothing_is_fetched(release: Release, tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom streamer.models import pull\n"
        f"pull.RELEASE = {release.address!r}\nsys.argv = ['streamer', 'models', 'pull', 'yolo11n']\n"
        "from streamer.cli.main import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr == "streamer: pulling yolo11n, which is a .pt, needs PyTorch: pip install 'streamer[torch]'\n"
    assert (done.returncode, release.requested) == (1, [])


def test_every_name_stands_for_a_file_that_ultralytics_publishes() -> None:
    assert {"yolov5n": "yolov5nu.pt", "yolov9t": "yolov9t.pt", "yolo26x": "yolo26x.pt"}.items() <= FILES.items()
    downloads = pytest.importorskip("ultralytics.utils.downloads", reason="Ultralytics is not installed")
    assert set(FILES.values()) <= downloads.GITHUB_ASSETS_NAMES
