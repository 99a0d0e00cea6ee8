"""A camera on the loopback that is switched off and on again: the real RTSP server as a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

import numpy as np

from streamer.frame import Image

SYSTEM_PYTHON = Path("/usr/bin/python3")
SERVER = Path(__file__).with_name("rtsp_server.py")
STRIPES, STRIPE = 32, 8
"""The stripes that the server paints."""


def why_not() -> str | None:
    """Why the server cannot run here; None where it can."""
    needed = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
        "Gst.init(None); assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('jpegenc')"
    )
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", needed], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "GStreamer's RTSP server is absent: install gir1.2-gst-rtsp-server-1.0 and gstreamer1.0-plugins-ugly"
    return None


class RtspCamera:
    """Serves from ``on`` to ``off``, always at the same ``address``; ``options`` are the server's."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._port = "0"
        self.on()

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self._port}/live"

    def on(self) -> None:
        """Starts the server; returns when it listens."""
        command = [str(SYSTEM_PYTHON), str(SERVER), "--port", self._port, *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._port = self._process.stdout.readline().strip()
        assert self._port, "the server did not start"

    def off(self) -> None:
        """Kills the server, as if its plug was pulled; may be called again."""
        if self._process is not None:
            with self._process:
                self._process.kill()
            self._process = None

    def __enter__(self) -> RtspCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.off()


def made_ms(image: Image) -> int:
    """When the server made this picture, in milliseconds of the monotonic clock modulo 2 ** 32."""
    top = image[: STRIPE // 2, : STRIPES * STRIPE].mean(axis=(0, 2)).reshape(STRIPES, STRIPE)
    bits = top[:, 2:-2].mean(axis=1) > 127
    return int(np.dot(bits.astype(np.int64), 1 << np.arange(STRIPES, dtype=np.int64)))
