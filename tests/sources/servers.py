"""Servers on the loopback that serve a video, or fail in every way in which a network stream can fail."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import av

from streamer.vendors import pyav

USER = "user:secret"
RTP_CLOCK = 90_000


@contextmanager
def http_server(content: bytes = b"", *, status: int = 200, protected: bool = False) -> Iterator[str]:
    """Answers every request with ``content`` and ``status``; the address, with the right user and password."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = "Basic " + base64.b64encode(USER.encode()).decode()
            if protected and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://{USER}@127.0.0.1:{server.server_port}/live/clip.mkv?token=secret"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silent_server() -> Iterator[str]:
    """Accepts connections and never answers; host and port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def refused_port() -> str:
    """Host and port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def rtsp_server(clip: Path | None, *, answer: str = "200 OK", hangs_up: bool = True) -> Iterator[str]:
    """Serves the H.264 of ``clip`` to one client, over TCP and by its times, and then hangs up or falls silent.

    Another ``answer`` is a refusal.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_serve_rtsp, args=(server, clip, answer, hangs_up))
        thread.start()
        try:
            yield f"rtsp://{USER}@127.0.0.1:{server.getsockname()[1]}/live/ch1?password=secret"
        finally:
            # Ends the wait for a client that never came.
            with closing(socket.create_connection(server.getsockname())):
                pass
            thread.join()


def _serve_rtsp(server: socket.socket, clip: Path | None, answer: str, hangs_up: bool) -> None:
    client, _ = server.accept()
    # A client may go at any time.
    with suppress(ConnectionError), client, client.makefile("rb") as requests:
        while request := _request(requests):
            method, number = request
            status, headers, body = "200 OK", "", ""
            if method == "OPTIONS":
                headers = "Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n"
            elif method == "DESCRIBE":
                status, body = answer, SDP
                headers = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method == "SETUP":
                headers = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            elif method == "PLAY":
                headers = "Session: 1\r\n"
            client.sendall(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}\r\n{body}".encode())
            if method == "PLAY" and clip is not None:
                begin_s = time.monotonic()
                for due_s, packet in _rtp_packets(clip):
                    Event().wait(max(0.0, begin_s + due_s - time.monotonic()))
                    client.sendall(packet)
                if hangs_up:
                    return


SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
)


def _request(lines: Iterable[bytes]) -> tuple[str, str] | None:
    """The method and the sequence number of the next request; None when the client has gone."""
    method, number = "", ""
    for raw in lines:
        line = raw.decode("latin-1").strip()
        if not line and method:
            return method, number
        if not method:
            method = line.split(" ")[0]
        elif line.lower().startswith("cseq:"):
            number = line.partition(":")[2].strip()
    return None


def _rtp_packets(clip: Path) -> Iterator[tuple[float, bytes]]:
    """The seconds at which each NAL unit of the clip's H.264 is sent, and its RTP packet, framed for TCP."""
    number = 0
    with av.open(str(clip)) as container:
        for packet in container.demux(video=0):
            units = [unit for unit in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
            for place, unit in enumerate(units):
                assert packet.pts is not None
                stamp = round(packet.pts * pyav.time_base(packet) * RTP_CLOCK)
                last = place == len(units) - 1
                header = bytes([0x80, 96 | (0x80 if last else 0)]) + number.to_bytes(2, "big")
                rtp = header + stamp.to_bytes(4, "big") + b"\0\0\0\1" + unit
                yield stamp / RTP_CLOCK, b"$\0" + len(rtp).to_bytes(2, "big") + rtp
                number += 1
