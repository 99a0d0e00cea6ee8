"""The options for reaching network streams."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TIMEOUT_S = 5.0
"""Seconds of silence after which a live source has failed, when connecting and when reading."""
TIMEOUTS_TO_FIRST_PICTURE = 6
"""A stream that sends data, but no picture, may take so many time-outs: two long key frame intervals."""


class Transport(StrEnum):
    """The transport of RTSP's media packets."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How network streams are to be reached.

    ``timeout_s`` is how long a stream may be silent, in seconds. With ``tls_verify`` an untrusted certificate is
    refused.
    """

    timeout_s: float = TIMEOUT_S
    rtsp_transport: Transport = Transport.TCP
    tls_verify: bool = False

    @property
    def patience_s(self) -> float:
        """How long data may come without a picture at the start, in seconds."""
        return TIMEOUTS_TO_FIRST_PICTURE * self.timeout_s
