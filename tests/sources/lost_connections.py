"""A camera over HTTP that loses each connection after some pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

MORE = 1_000
"""The announced bytes that do not come: the connection is lost."""


@contextmanager
def lost_connections(contents: Sequence[bytes]) -> Iterator[str]:
    """The address of a server whose connections each give the next content, and are lost then."""
    left = list(contents)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = left.pop(0)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content) + MORE))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/live.ts"
        finally:
            server.shutdown()
            thread.join()
