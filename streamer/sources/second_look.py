"""A second look at an address that FFmpeg cannot open: its error code alone often does not give the reason."""

from __future__ import annotations

import re
import socket
import ssl
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import unquote, urljoin, urlsplit

from streamer.address import kind_of, without_credentials
from streamer.sources.access import Access
from streamer.sources.certificates import VARIABLE, tls_context

ENCODE = (
    "its user or password holds characters that end an address: percent-encode them, "
    "as %40 for @, %2F for /, %3F for ?, %23 for #, and %25 for %"
)
UNENCODED = re.compile(r"[^A-Za-z0-9._~%-]|%(?![0-9A-Fa-f]{2})")
"""Characters that have to be percent-encoded in a user or a password."""
PLAYLIST = b"#EXTM3U"
UNCHECKED_SEGMENTS = "is a playlist, whose segments come unchecked: leave --tls-verify out"
"""FFmpeg up to version 8 fetches them, and the playlist again, without the TLS options."""
LOOK_S = 2.0
"""The most seconds that a second look takes: the server has just answered."""
REDIRECTIONS = 5


def second_look(uri: str, access: Access) -> str | None:
    """Why ``uri`` cannot be opened, and the mend; None where the reason is not found. Blocks."""
    try:
        host, port = urlsplit(uri).hostname or "", urlsplit(uri).port
    except ValueError:
        return ENCODE if "@" in uri else "is no address: check its port"
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        # What stands in place of the host's name may be the end of the password.
        return ENCODE if _may_be_torn(uri) else f"the name {host} is not known: check its spelling, and the network"
    try:
        if kind_of(uri) in ("http", "https"):
            return _at_the_server(uri, access)
        if kind_of(uri) == "rtsps" and access.tls_verify:
            with socket.create_connection((host, port or 322), LOOK_S) as connection:
                tls_context(verify=True).wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        return (
            f"its certificate is not trusted ({error.verify_message.rstrip('.')}): check the name in the address, "
            f"give a file that holds the certificate, or its signer's, in {VARIABLE}, or leave --tls-verify out"
        )
    except (OSError, HTTPException, ValueError):
        pass
    return None


def encoding_hint(uri: str) -> str:
    """An addition to the refusal of a user and a password with special characters; else empty."""
    given = _authority(uri).rpartition("@")[0].split(":", 1)
    return ", their special characters percent-encoded, as %40 for @" if any(map(UNENCODED.search, given)) else ""


def _authority(uri: str) -> str:
    """User, password, host and port; less, where the password holds a character that ends them."""
    return re.split("[/?#]", uri.partition("://")[2], maxsplit=1)[0]


def _may_be_torn(uri: str) -> bool:
    """Whether the password may hold a character that ends the host: there is an @ behind it, as in some paths."""
    authority = _authority(uri)
    return "@" in uri.partition(authority)[2] and ("@" in authority or ":" in authority)


def _at_the_server(uri: str, access: Access) -> str | None:
    """Why a server's answer over HTTP cannot be played. Raises OSError, HTTPException and ValueError."""
    for _ in range(REDIRECTIONS):
        with closing(_connection(uri, access)) as connection, closing(_answer(connection, uri)) as answer:
            location = answer.getheader("Location")
            if answer.status // 100 == 3 and location:
                uri = urljoin(uri, location)
                if kind_of(uri) not in ("http", "https"):
                    return f"sends on to {without_credentials(uri)}: give that address itself"
                continue
            if answer.status != 200:
                return None
            if (answer.getheader("Content-Type") or "").startswith("multipart/"):
                return "is motion JPEG of parts that are not called image/jpeg: let the camera say so before each"
            if answer.read(len(PLAYLIST)) != PLAYLIST:
                return "is not a video that can be read: check the address"
            if access.tls_verify:
                return UNCHECKED_SEGMENTS
            media_type = answer.getheader("Content-Type")
            if media_type is not None and "mpegurl" in media_type.lower():
                return "is a playlist whose segments cannot be read: check the server"
            served = "without a Content-Type" if media_type is None else f"as {media_type}"
            return (
                f"is a playlist served {served}: let the server say application/vnd.apple.mpegurl, "
                "or give an address whose path ends in .m3u8"
            )
    return None


def _connection(uri: str, access: Access) -> HTTPConnection:
    parts = urlsplit(uri)
    if parts.scheme.lower() == "http":
        return HTTPConnection(parts.hostname or "", parts.port, timeout=LOOK_S)
    context = tls_context(verify=access.tls_verify)
    return HTTPSConnection(parts.hostname or "", parts.port, timeout=LOOK_S, context=context)


def _answer(connection: HTTPConnection, uri: str) -> HTTPResponse:
    parts = urlsplit(uri)
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    headers = {} if user == ":" else {"Authorization": f"Basic {b64encode(user.encode()).decode()}"}
    connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers)
    return connection.getresponse()
