"""The certificates by which a server is trusted."""

from __future__ import annotations

import ssl
from typing import cast

from streamer.errors import SourceError

VARIABLE = "SSL_CERT_FILE"
"""The environment's name for the file of certificates to trust, in place of the system's."""


def trusted_certificates() -> str:
    """The file of them: what SSL_CERT_FILE names, else the system's.

    FFmpeg knows of none by itself. Raises SourceError where there is none.
    """
    file = cast("str | None", ssl.get_default_verify_paths().cafile)  # of a file that is not there it says None
    if file is None:
        raise SourceError(f"--tls-verify: there are no certificates to check by: name a file of them in {VARIABLE}")
    return file


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """What a connection of our own is made with; it checks what FFmpeg's checks. Raises SourceError as above."""
    if verify:
        return ssl.create_default_context(cafile=trusted_certificates())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
