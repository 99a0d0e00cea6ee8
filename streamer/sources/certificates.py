"""The certificates by which a server is trusted."""

from __future__ import annotations

import ssl
from typing import cast

from streamer.errors import SourceError

VARIABLE = "SSL_CERT_FILE"
"""The environment variable that names a file of certificates to trust in place of the system's."""


def trusted_certificates() -> str:
    """The file of the trusted certificates: the one that SSL_CERT_FILE names, else the system's.

    FFmpeg finds neither by itself. Raises SourceError where there is no such file.
    """
    file = cast("str | None", ssl.get_default_verify_paths().cafile)  # None where the file does not exist
    if file is None:
        raise SourceError(f"--tls-verify: there are no certificates to check by: name a file of them in {VARIABLE}")
    return file


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """The TLS context of streamer's own connections, which checks what FFmpeg checks. Raises SourceError as above."""
    if verify:
        return ssl.create_default_context(cafile=trusted_certificates())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
