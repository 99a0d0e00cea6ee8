"""A real RTSP server, GStreamer's, as a process of its own, run by the system's Python.

It prints its port when it listens, and serves /live until it is killed. The top left corner of each picture shows, in
32 stripes, when it was made, in milliseconds of the monotonic clock (modulo 2 ** 32); the rest is a changing shade.
With --units it serves coded pictures instead, one after the other.
"""

from __future__ import annotations

import argparse
import threading
import time
from fractions import Fraction
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

STRIPES, STRIPE = 32, 8
"""The number of stripes, and the width and height of each in pixels."""
ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={key} ! rtph264pay name=pay0 pt=96",
    "jpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}
PAYLOADERS = {
    "h264": "rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "rtph265pay name=pay0 pt=96 config-interval=-1",
}


class Camera:
    """Sends picture after picture as long as there is a client; all clients see the same.

    The instants are those of an absolute schedule, so that the rate is exact over many pictures.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._width, self._height = map(int, options.size.split("x"))
        self._period_s = 1 / options.fps
        announced = options.announced or options.fps
        # With --stamped, times have the intervals of the announced rate.
        self._stamp_ns = round(Gst.SECOND / announced) if options.stamped else None
        rate = f"{Fraction(announced).limit_denominator(1000)}"
        rate = rate if "/" in rate else f"{rate}/1"
        self._units = units(options.units)
        if self._units:
            caps = f"video/x-{options.codec},stream-format=byte-stream,alignment=au"
            way = PAYLOADERS[options.codec]
        else:
            caps = f"video/x-raw,format=GRAY8,width={self._width},height={self._height}"
            key = max(1, round(options.key_s * announced))
            way = f"videoconvert ! video/x-raw,format=I420 ! {ENCODERS[options.codec].format(key=key)}"
        stamps = "false" if options.stamped else "true"
        source = f"appsrc name=camera is-live=true do-timestamp={stamps} format=time caps={caps},framerate={rate}"
        self.factory = GstRtspServer.RTSPMediaFactory()
        self.factory.set_launch(f"( {source} ! {way} )")
        self.factory.set_shared(True)
        if options.udp_only:
            self.factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
        self.factory.connect("media-configure", self._begin)

    def _begin(self, _: object, media: GstRtspServer.RTSPMedia) -> None:
        camera = media.get_element().get_by_name_recurse_up("camera")
        off = threading.Event()
        start_s = time.monotonic()

        def push(number: int) -> bool:
            if not off.is_set():
                camera.emit("push-buffer", self._buffer(number))
                wait_s = start_s + (number + 1) * self._period_s - time.monotonic()
                GLib.timeout_add(max(0, round(1000 * wait_s)), push, number + 1)
            return False

        push(0)
        media.connect("unprepared", lambda _: off.set())

    def _buffer(self, number: int) -> Gst.Buffer:
        content = self._units[number % len(self._units)] if self._units else self._picture()
        buffer = Gst.Buffer.new_wrapped(content)
        if self._stamp_ns is not None:
            buffer.pts = buffer.dts = number * self._stamp_ns
        return buffer

    def _picture(self) -> bytes:
        made_ms = time.monotonic_ns() // 1_000_000 % (1 << STRIPES)
        bits = (made_ms >> place & 1 for place in range(STRIPES))
        shade = bytes([made_ms // 10 % 256])
        top = b"".join(b"\xff" * STRIPE if bit else b"\0" * STRIPE for bit in bits)
        top += shade * (self._width - len(top))
        return top * STRIPE + shade * self._width * (self._height - STRIPE)


def units(path: str | None) -> list[bytes]:
    """The coded pictures in a file, each behind its length in four bytes."""
    content = Path(path).read_bytes() if path else b""
    found = []
    while content:
        length = int.from_bytes(content[:4], "big")
        found.append(content[4 : 4 + length])
        content = content[4 + length :]
    return found


def protect(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, user: str) -> None:
    """Lets only clients in that give user and password, as in user:password."""
    role = "viewer"
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, role)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*user.split(":", 1)), token)
    server.set_auth(auth)
    factory.add_role_from_structure(
        Gst.Structure.from_string(f"{role}, media.factory.access=true, media.factory.construct=true")[0]
    )


def watching(port: int) -> Gst.Element:
    """A client that watches from now on; returned when the camera runs."""
    viewer = Gst.parse_launch(
        f"rtspsrc protocols=tcp location=rtsp://127.0.0.1:{port}/live ! fakesink sync=false name=screen"
    )
    seen = []
    viewer.get_by_name("screen").set_property("signal-handoffs", True)
    viewer.get_by_name("screen").connect("handoff", lambda *_: seen.append(True))
    viewer.set_state(Gst.State.PLAYING)
    while not seen:
        GLib.MainContext.default().iteration(True)
    return viewer


def main() -> None:
    """Serves until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="0")
    parser.add_argument("--codec", choices=["h264", "h265", "jpeg"], default="h264", help="h265 needs --units")
    parser.add_argument("--size", default="320x240", help="at least 256 wide")
    parser.add_argument("--fps", type=float, default=30, help="the rate that is sent")
    parser.add_argument("--announced", type=float, help="the rate that is announced; by default the one that is sent")
    parser.add_argument("--stamped", action="store_true", help="times have the intervals of the announced rate")
    parser.add_argument("--key-s", type=float, default=1, help="seconds, by the announced rate, between key frames")
    parser.add_argument("--units", help="a file of coded pictures, each behind its length in four bytes")
    parser.add_argument("--udp-only", action="store_true")
    parser.add_argument("--watched", action="store_true", help="a client watches from the start, so the camera runs")
    parser.add_argument("--user", help="user:password, without which nothing is served")
    options = parser.parse_args()
    Gst.init(None)
    way = (PAYLOADERS if options.units else ENCODERS).get(options.codec)
    if way is None:
        parser.error(f"--codec {options.codec} is {'not ' if options.units else 'only '}for --units")
    if Gst.ElementFactory.find(way.split()[0]) is None:
        parser.error(f"GStreamer has no {way.split()[0]} here: install its plugins")
    factory = Camera(options).factory
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    if options.user:
        protect(server, factory, options.user)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        parser.error(f"port {options.port} cannot be had: give another")
    viewer = watching(server.get_bound_port()) if options.watched else None
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()
    del viewer


if __name__ == "__main__":
    main()
