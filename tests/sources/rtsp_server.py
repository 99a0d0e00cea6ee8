"""A real RTSP server, GStreamer's, as a process of its own, run by the system's Python.

It prints its port when it listens, and serves /live until it is killed: pictures in whose top left corner stands, in
32 stripes, when each was made, in milliseconds of the monotonic clock (modulo 2 ** 32); the rest is a shade that
changes.
"""

from __future__ import annotations

import argparse
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

STRIPES, STRIPE = 32, 8
"""How many stripes, and how wide and high each of them is."""
ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={fps} ! rtph264pay name=pay0 pt=96",
    "jpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}


class Camera:
    """One picture after the other, as long as a client is there; all clients see the same."""

    def __init__(self, encoder: str, width: int, height: int, fps: int) -> None:
        self._width, self._height, self._fps = width, height, fps
        caps = f"video/x-raw,format=GRAY8,width={width},height={height},framerate={fps}/1"
        source = f"appsrc name=camera is-live=true do-timestamp=true format=time caps={caps}"
        convert = "videoconvert ! video/x-raw,format=I420"
        self.factory = GstRtspServer.RTSPMediaFactory()
        self.factory.set_launch(f"( {source} ! {convert} ! {encoder.format(fps=fps)} )")
        self.factory.set_shared(True)
        self.factory.connect("media-configure", self._begin)

    def _begin(self, _: object, media: GstRtspServer.RTSPMedia) -> None:
        camera = media.get_element().get_by_name_recurse_up("camera")
        ticks = GLib.timeout_add(1000 // self._fps, self._push, camera)
        media.connect("unprepared", lambda _: GLib.source_remove(ticks))

    def _push(self, camera: Gst.Element) -> bool:
        camera.emit("push-buffer", Gst.Buffer.new_wrapped(self._picture()))
        return True

    def _picture(self) -> bytes:
        made_ms = time.monotonic_ns() // 1_000_000 % (1 << STRIPES)
        bits = (made_ms >> place & 1 for place in range(STRIPES))
        shade = bytes([made_ms // 10 % 256])
        top = b"".join(b"\xff" * STRIPE if bit else b"\0" * STRIPE for bit in bits)
        top += shade * (self._width - len(top))
        return top * STRIPE + shade * self._width * (self._height - STRIPE)


def protect(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, user: str) -> None:
    """Only who gives user and password, as in user:password, may see it."""
    role = "viewer"
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, role)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*user.split(":", 1)), token)
    server.set_auth(auth)
    factory.add_role_from_structure(
        Gst.Structure.from_string(f"{role}, media.factory.access=true, media.factory.construct=true")[0]
    )


def main() -> None:
    """Serves until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="0")
    parser.add_argument("--codec", choices=list(ENCODERS), default="h264")
    parser.add_argument("--size", default="320x240", help="at least 256 wide")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--user", help="user:password, without which nothing is served")
    options = parser.parse_args()
    Gst.init(None)
    encoder = ENCODERS[options.codec]
    if Gst.ElementFactory.find(encoder.split()[0]) is None:
        parser.error(f"GStreamer has no {encoder.split()[0]} here: install its plugins")
    width, height = map(int, options.size.split("x"))
    factory = Camera(encoder, width, height, options.fps).factory
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    if options.user:
        protect(server, factory, options.user)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        parser.error(f"port {options.port} cannot be had: give another")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
