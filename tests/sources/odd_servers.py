"""Servers on the loopback with odd data, an odd transport, or an odd identity."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.sources.servers import SDP, USER, _request, _rtp_packets

Answer = Callable[[BaseHTTPRequestHandler], None]
HOST = "127.0.0.1"


@contextmanager
def odd_http(answer: Answer, identity: ssl.SSLContext | None = None) -> Iterator[str]:
    """Answers every request by ``answer``, over TLS with an ``identity``; user, password, host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # a client may go at any time
                answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:  # as where a client does not trust the certificate
            pass

    with Server((HOST, 0), Handler) as server:
        if identity is not None:
            server.socket = identity.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{USER}@{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def saying(
    body: bytes, *, status: int = 200, sized: bool = True, media_type: str | None = None, location: str | None = None
) -> Answer:
    """The same answer to every request."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in (("Content-Type", media_type), ("Location", location)):
            if value is not None:
                request.send_header(name, value)
        if sized:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def trickling(chunks: Iterable[bytes], every_s: float, media_type: str = "video/mp2t") -> Answer:
    """Answers with a chunk every so many seconds, as long as there are chunks and the client stays."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", media_type)
        request.end_headers()
        pace = Event()
        for chunk in chunks:
            request.wfile.write(chunk)
            pace.wait(every_s)

    return answer


def identity_of(folder: Path, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A self-signed certificate for ``name`` and the loopback: a server's TLS context with it, and its file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is absent: it makes the certificate of the test's server")
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    alternatives = f"subjectAltName=DNS:{name}" + (f",IP:{HOST}" if name == "localhost" else "")
    made = f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
    command = [*made.split(), "-addext", alternatives, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate, key)
    return identity, certificate


@contextmanager
def odd_rtsp(
    clip: Path | None,
    *,
    offers: str,
    loses: Collection[int] = (),
    identity: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serves the H.264 of ``clip`` over the one transport that it ``offers``, tcp or udp; host and port.

    It sends packets when their pictures are due, but not those whose numbers it ``loses``, and hangs up at the end.
    """
    with socket.create_server((HOST, 0)) as server:
        done = Event()

        def serve() -> None:
            while not done.is_set():
                with suppress(OSError), closing(_client(server, identity)) as client:
                    _serve(client, clip, offers, loses)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"{HOST}:{server.getsockname()[1]}"
        finally:
            done.set()
            with closing(socket.create_connection(server.getsockname())):
                pass
            thread.join()


def _client(server: socket.socket, identity: ssl.SSLContext | None) -> socket.socket:
    client, _ = server.accept()
    if identity is None:
        return client
    client.settimeout(10)
    return identity.wrap_socket(client, server_side=True)


def _serve(client: socket.socket, clip: Path | None, offers: str, loses: Collection[int]) -> None:
    with client.makefile("rb") as requests, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
        media.bind((HOST, 0))
        ports = ""
        lines: list[bytes] = []

        def noted() -> Iterator[bytes]:
            for line in requests:
                lines.append(line)
                yield line

        while request := _request(noted()):
            method, number = request
            requested = next((line.decode() for line in lines if line.lower().startswith(b"transport:")), "")
            lines.clear()
            status, headers, body = "200 OK", "", ""
            if method == "DESCRIBE":
                body = SDP
                headers = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method == "SETUP" and ("TCP" in requested) != (offers == "tcp"):
                status = "461 Unsupported Transport"
            elif method == "SETUP" and offers == "tcp":
                headers = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            elif method == "SETUP":
                ports = requested.partition("client_port=")[2].split(";")[0].strip()
                own = media.getsockname()[1]
                transport = f"RTP/AVP/UDP;unicast;client_port={ports};server_port={own}-{own + 1}"
                headers = f"Transport: {transport}\r\nSession: 1\r\n"
            elif method == "PLAY":
                headers = "Session: 1\r\n"
            client.sendall(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}\r\n{body}".encode())
            if method == "PLAY" and clip is not None:
                begin_s = time.monotonic()
                for place, (due_s, packet) in enumerate(_rtp_packets(clip)):
                    Event().wait(max(0.0, begin_s + due_s - time.monotonic()))
                    if place in loses:
                        continue
                    if offers == "udp":
                        media.sendto(packet[4:], (HOST, int(ports.split("-")[0])))
                    else:
                        client.sendall(packet)
                return
