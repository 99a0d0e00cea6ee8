"""Live cameras on the loopback that send numbered pictures over HTTP at an exact rate, each in its own way.

A camera's clock begins when the first client comes; from then on it makes picture after picture, watched or not. The
instants are those of an absolute schedule, so that the rate is exact over many pictures. A camera with a backlog
sends the kept pictures at once to each client. ``tests.videos.number_of`` gives the number of the picture in a frame.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Lock, Thread

from tests.sources.coded import Coded, Muxer, coded, jpeg

BEGINS_S = 100
"""The time of the first picture in containers that have times: encoders do not begin at 0."""
PICTURES = 1000
"""The number of different pictures that are coded; behind the last one the first comes again."""
PATIENCE_S = 10
"""Seconds without a read after which a client is given up."""


class End(Enum):
    """The end of a connection when all its pictures are sent."""

    ORDERLY = "the end is announced, where the protocol can"
    HANGS_UP = "the connection is closed, without an announcement"
    RESET = "the connection is reset, as by a process that was killed"
    SILENT = "nothing more comes"


@dataclass(frozen=True)
class Pace:
    """The times at which pictures are sent.

    ``fps`` are sent a second, ``frames`` over each connection (without end where None), and then ``end`` happens. On
    connecting ``backlog`` older ones are sent at once, and count among those. ``made`` pictures are older than the
    first connection, as many as the backlog where None; only the backlog is sent. ``later`` is the rate from a
    picture on, counted from the first new one. For ``away_s`` seconds after each connection no client is accepted.
    """

    fps: Fraction | float = 25
    frames: int | None = None
    backlog: int = 0
    end: End = End.HANGS_UP
    made: int | None = None
    later: tuple[int, float] | None = None
    away_s: float = 0

    @property
    def first(self) -> int:
        """The first picture that is new to the first client."""
        return self.backlog if self.made is None else self.made

    def due_s(self, number: int) -> float:
        """When a picture is made, in seconds since the first connection."""
        new = number - self.first
        if self.later is None or new <= self.later[0]:
            return float(new / self.fps)
        return float(self.later[0] / self.fps + (new - self.later[0]) / self.later[1])


@dataclass(frozen=True)
class Sent:
    """A picture that was sent: its connection, its number, when (by the monotonic clock), and whether it was kept."""

    connection: int
    number: int
    monotonic_s: float
    kept: bool


class Camera:
    """A camera, with its ``address`` and the pictures that it ``sent``."""

    def __init__(self, pace: Pace) -> None:
        self.address = ""
        self.sent: list[Sent] = []
        self.pace = pace
        self.off = Event()
        self._lock = Lock()
        self._start_s: float | None = None
        self._connections = 0
        self._away_until_s = 0.0

    def newest(self) -> int:
        """The number of the picture that was made last; the clock begins with the first call."""
        with self._lock:
            if self._start_s is None:
                self._start_s = time.monotonic()
            passed_s = time.monotonic() - self._start_s
        number = self.pace.first
        while self.pace.due_s(number + 1) <= passed_s:
            number += 1
        return number

    def made_s(self, number: int) -> float:
        """When that picture is made, in seconds of the monotonic clock."""
        assert self._start_s is not None, "no client came"
        return self._start_s + self.pace.due_s(number)

    def wait_for(self, number: int) -> bool:
        """Waits until that picture is made; returns whether the camera is still on."""
        return not self.off.wait(max(0.0, self.made_s(number) - time.monotonic()))

    def numbers(self, begins_at_key: Callable[[int], bool]) -> Iterator[int]:
        """The pictures of a new connection, each when it is to be sent, from one at which decoding can begin."""
        with self._lock:
            connection, self._connections = self._connections, self._connections + 1
        newest = self.newest()
        begin = max(0, newest - self.pace.backlog)
        while not begins_at_key(begin):
            begin += 1
        wanted = count(begin) if self.pace.frames is None else range(begin, begin + self.pace.frames)
        for number in wanted:
            if not self.wait_for(number):
                return
            self.sent.append(Sent(connection, number, time.monotonic(), number < newest))
            yield number

    def is_away(self) -> bool:
        """Whether no client is accepted."""
        return time.monotonic() < self._away_until_s

    def gone(self) -> None:
        """Call when a connection has ended."""
        self._away_until_s = time.monotonic() + self.pace.away_s


class Request(BaseHTTPRequestHandler):
    """A request, and the way in which it is answered."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S
    # Else a packet waits until the client has acknowledged the one before.
    disable_nagle_algorithm = True
    _chunked = False

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.open.append(self.connection)
        # A client that has had enough may go at any time.
        with suppress(ConnectionError, TimeoutError):
            if self.server.camera.is_away():
                self.send_error(503)
            else:
                self.server.answer(self)

    def log_message(self, *_: object) -> None:
        pass

    def whole(self, content: bytes, kind: str) -> None:
        """Answers with the content and its length; more requests may follow over the same connection."""
        self.close_connection = False
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def begin(self, kind: str, *, chunked: bool) -> None:
        """Begins an answer without a length: in chunks, or until the connection is closed."""
        self._chunked = chunked
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        self.end_headers()

    def send(self, content: bytes) -> None:
        """Sends more of the answer."""
        if content:
            head, tail = (f"{len(content):x}\r\n".encode(), b"\r\n") if self._chunked else (b"", b"")
            self.wfile.write(head + content + tail)

    def finish_with(self, end: End) -> None:
        """Ends the answer."""
        if self.server.camera.off.is_set():
            return
        if end is End.ORDERLY and self._chunked:
            self.wfile.write(b"0\r\n\r\n")
        elif end is End.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Without the usual shutdown before it.
            self.connection.close()
        elif end is End.SILENT:
            self.server.camera.off.wait()
        self.server.camera.gone()


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, camera: Camera, answer: Callable[[Request], None]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.camera = camera
        self.answer = answer
        self.open: list[socket.socket] = []

    def shutdown_request(self, request: object) -> None:
        with suppress(OSError):
            super().shutdown_request(request)  # type: ignore[arg-type]

    def hang_up(self) -> None:
        """Ends the wait for clients that do not read."""
        for connection in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def _serving(camera: Camera, path: str, answer: Callable[[Request], None]) -> Iterator[Camera]:
    with _Server(camera, answer) as server:
        camera.address = f"http://127.0.0.1:{server.server_port}/{path}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield camera
        finally:
            camera.off.set()
            server.shutdown()
            server.hang_up()
            thread.join()


def _any(_: int) -> bool:
    return True


@contextmanager
def mjpeg(
    pace: Pace, *, lengths: bool = True, boundary: str = "frame", delimiter: str = "--frame", chunked: bool = False
) -> Iterator[Camera]:
    """Motion JPEG, as multipart: it has no times, and announces no rate.

    With ``lengths`` each part has its length. ``boundary`` is that of the header, ``delimiter`` the line in the body.
    """
    camera = Camera(pace)

    def answer(request: Request) -> None:
        request.begin(f"multipart/x-mixed-replace; boundary={boundary}", chunked=chunked)
        for number in camera.numbers(_any):
            content = jpeg(number)
            length = f"Content-Length: {len(content)}\r\n" if lengths else ""
            head = f"{delimiter}\r\nContent-Type: image/jpeg\r\n{length}\r\n"
            request.send(head.encode() + content + b"\r\n")
        if pace.end is End.ORDERLY:
            request.send(f"{delimiter}--\r\n".encode())
        request.finish_with(pace.end)

    with _serving(camera, "video.cgi", answer):
        yield camera


@dataclass(frozen=True)
class Stamps:
    """The times in a container: ``fps`` a second; ``jumps`` are seconds by which they jump at a picture."""

    fps: Fraction = Fraction(25)
    jumps: Mapping[int, float] | None = None

    def of(self, number: int) -> Fraction:
        """The time of a picture."""
        jumped = sum(Fraction(by) for since, by in (self.jumps or {}).items() if number >= since)
        return BEGINS_S + number / self.fps + jumped

    def go_back_at(self, number: int) -> bool:
        """Whether this picture's time is before the last one's: the encoder was restarted."""
        return (self.jumps or {}).get(number, 0) < 0


@contextmanager
def streamed(
    pace: Pace,
    format: str,
    *,
    stamps: Stamps | None = None,
    codec: str | None = None,
    keyframe_every: int = 25,
    begins_at_key: bool = True,
    chunked: bool = False,
    options: Mapping[str, str] | None = None,
) -> Iterator[Camera]:
    """A container (``mpegts``, ``mp4`` in fragments, ``flv``, or none: ``h264``, ``hevc``), packet by packet.

    ``options`` are the container's. Each client gets its own container. Unless it ``begins_at_key``, it may begin in
    the middle of a group of pictures. A jump backwards begins a new container, as a restarted encoder does.
    """
    camera = Camera(pace)
    stamps = stamps or Stamps(Fraction(pace.fps).limit_denominator(1000))
    what = coded(codec or ("libx265" if format == "hevc" else "libx264"), stamps.fps, PICTURES, keyframe_every)

    def answer(request: Request) -> None:
        request.begin(KINDS[format], chunked=chunked)
        muxer = Muxer(what, format, options)
        for number in camera.numbers(what.is_key if begins_at_key else _any):
            if stamps.go_back_at(number):
                muxer = _restarted(what, format)
            request.send(muxer.packet(number, stamps.of(number)))
        rest = muxer.close()
        request.send(rest if pace.end is End.ORDERLY else b"")
        request.finish_with(pace.end)

    with _serving(camera, f"live.{format}", answer):
        yield camera


KINDS = {
    "mpegts": "video/mp2t",
    "mp4": "video/mp4",
    "flv": "video/x-flv",
    "h264": "application/octet-stream",
    "hevc": "application/octet-stream",
}


def _restarted(what: Coded, format: str) -> Muxer:
    """A container that declares that it does not continue the last one."""
    flags = {"mpegts_flags": "pat_pmt_at_frames+initial_discontinuity"} if format == "mpegts" else None
    return Muxer(what, format, flags)


@contextmanager
def hls(
    pace: Pace,
    *,
    stamps: Stamps | None = None,
    segment: int = 10,
    listed: int = 30,
    segments: int = PICTURES // 10,
    discontinuity: int | None = None,
    on_demand: bool = False,
    absent: Collection[int] = (),
    kind: str = "application/vnd.apple.mpegurl",
) -> Iterator[Camera]:
    """A playlist of the last ``listed`` complete segments, each of ``segment`` pictures.

    It grows up to ``segments`` in all. Then ORDERLY marks it as complete, SILENT stops, and the others answer 404. A
    discontinuity is marked before segment ``discontinuity``; its jump is among the ``stamps``. With ``on_demand`` it
    is a recording, complete but for the ``absent`` segments, which answer 404. When its first client comes,
    ``listed`` segments exist.
    """
    pace = pace if pace.made is not None else _with_made(pace, segment * listed)
    camera = Camera(pace)
    stamps = stamps or Stamps(Fraction(pace.fps).limit_denominator(1000))
    files = _segments(coded("libx264", stamps.fps, PICTURES, segment), stamps, segment, segments, discontinuity)

    def answer(request: Request) -> None:
        whole = segments if on_demand else min(segments, (camera.newest() + 1) // segment)
        over = whole == segments
        name = request.path.rpartition("/")[2]
        number = int(name.removesuffix(".ts")) if name.endswith(".ts") else None
        gone = over and not on_demand and pace.end in (End.HANGS_UP, End.RESET)
        if (gone and camera.newest() >= segments * segment) or number in absent:
            request.send_error(404)
        elif number is not None:
            now_s = time.monotonic()
            camera.sent += [Sent(0, number * segment + place, now_s, False) for place in range(segment)]
            request.whole(files[number], "video/mp2t")
        else:
            first = 0 if on_demand else max(0, whole - listed)
            lines = [f"#EXT-X-MEDIA-SEQUENCE:{first}", *(["#EXT-X-PLAYLIST-TYPE:VOD"] if on_demand else [])]
            if discontinuity is not None and first > discontinuity:
                lines.append("#EXT-X-DISCONTINUITY-SEQUENCE:1")
            for place in range(first, whole):
                lines += ["#EXT-X-DISCONTINUITY"] if place == discontinuity else []
                lines += [f"#EXTINF:{float(segment / stamps.fps):.3f},", f"{place}.ts"]
            lines += ["#EXT-X-ENDLIST"] if on_demand or (over and pace.end is End.ORDERLY) else []
            target = -(-segment // stamps.fps)
            head = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{target}\n"
            request.whole((head + "\n".join(lines) + "\n").encode(), kind)

    with _serving(camera, "live.m3u8", answer):
        yield camera


def _with_made(pace: Pace, made: int) -> Pace:
    return Pace(pace.fps, pace.frames, pace.backlog, pace.end, made, pace.later, pace.away_s)


def _segments(what: Coded, stamps: Stamps, segment: int, segments: int, discontinuity: int | None) -> list[bytes]:
    """The files of a playlist: a transport stream cut into segments, and a new one at the discontinuity."""
    files = []
    muxer = Muxer(what, "mpegts")
    for place in range(segments):
        if place == discontinuity:
            muxer = _restarted(what, "mpegts")
        numbers = range(place * segment, (place + 1) * segment)
        files.append(b"".join(muxer.packet(number, stamps.of(number)) for number in numbers))
    return files


@contextmanager
def snapshot(pace: Pace, path: str = "snap.jpg") -> Iterator[Camera]:
    """The newest JPEG for each request, with its length; ``path`` may have a query."""
    camera = Camera(pace)

    def answer(request: Request) -> None:
        number = camera.newest()
        camera.sent.append(Sent(0, number, time.monotonic(), False))
        request.whole(jpeg(number), "image/jpeg")

    with _serving(camera, path, answer):
        yield camera
