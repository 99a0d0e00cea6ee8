"""How a network stream is reached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TIMEOUT_S = 5.0
"""Seconds without a sign of life after which a live source counts as failed, when connecting and when reading."""
AS_LONG_AS = 6
"""A stream that gives signs of life, and no picture, has so many times as long: two long key frame intervals."""


class Transport(StrEnum):
    """What RTSP carries its packets over."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What was asked for about reaching network streams.

    ``timeout_s`` is how long one may be silent, in seconds. ``tls_verify``: a certificate that is not trusted is
    refused.
    """

    timeout_s: float = TIMEOUT_S
    rtsp_transport: Transport = Transport.TCP
    tls_verify: bool = False

    @property
    def patience_s(self) -> float:
        """How long what comes may hold no picture, at the start, in seconds."""
        return AS_LONG_AS * self.timeout_s
