"""Opening a network stream: FFmpeg's options, and the reason for a failure in words."""

from __future__ import annotations

import errno

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.address import kind_of, without_credentials
from streamer.errors import SourceError
from streamer.sources.access import Access, Transport
from streamer.sources.certificates import trusted_certificates
from streamer.sources.second_look import UNCHECKED_SEGMENTS, encoding_hint, second_look
from streamer.vendors import pyav

LIVE = {
    # streamer measures the rate itself: FFmpeg would read 20 frames for it before it gives the first.
    "fpsprobesize": "0",
    # In microseconds of the stream: FFmpeg does not wait for sound that was announced and never comes, as in FLV.
    "analyzeduration": "1000000",
}
RTSP = {"fflags": "nobuffer"}
"""Packets that FFmpeg reads to probe the stream grow old meanwhile. (A file over HTTP keeps its first frames.)"""
HUNG_UP = "hung up: the connection was closed; check the camera and the network"
UNDECODABLE = "gives no picture that can be decoded: check the camera's codec, and that it sends key frames"


def open_stream(uri: str, access: Access) -> InputContainer:
    """Connects to an address, and reads enough to recognise the stream.

    Raises av.FFmpegError: TimeoutError when nothing came, ExitError when the data was not recognised within
    `Access.patience_s`. Raises SourceError when certificates are to be checked and cannot be.
    """
    kind = kind_of(uri)
    container = pyav.open_input(
        # FFmpeg knows its protocols in lower case only.
        kind + uri[len(kind) :],
        options=_options(kind, access),
        timeout=(access.patience_s, access.timeout_s),
    )
    if access.tls_verify and container.format.name == "hls":
        container.close()
        shown = without_credentials(uri)
        raise SourceError(f"{shown} {UNCHECKED_SEGMENTS}")
    return container


def _options(kind: str, access: Access) -> dict[str, str]:
    """The options of FFmpeg's demuxer and protocols."""
    # Without this FFmpeg waits for ever; PyAV's time-out does not distinguish silence from unrecognised data.
    silence_us = str(round(access.timeout_s * 1_000_000))
    # For HTTP too, which may be redirected to HTTPS. FFmpeg's default depends on its version.
    options = {**LIVE, "tls_verify": str(int(access.tls_verify))}
    if access.tls_verify:
        options["ca_file"] = trusted_certificates()
    if kind.startswith("rtsp"):
        return {**options, **RTSP, "rtsp_transport": access.rtsp_transport.value, "timeout": silence_us}
    return {**options, "rw_timeout": silence_us}


def loses_packets(uri: str, access: Access) -> bool:
    """Whether the stream's packets come over a transport that may lose some."""
    return kind_of(uri) == "rtsp" and access.rtsp_transport is Transport.UDP


def access_notes(uri: str, access: Access) -> list[str]:
    """Sentences to be known about how an address was reached."""
    notes, shown = [], without_credentials(uri)
    if kind_of(uri) in ("rtsps", "https") and not access.tls_verify:
        notes.append(f"the certificate of {shown} was not checked; --tls-verify refuses one that is not trusted")
    if loses_packets(uri, access):
        notes.append(
            f"{shown} comes over UDP: a packet that is lost damages pictures, most of which are not marked; "
            "--rtsp-transport tcp loses none"
        )
    return notes


def only_video(container: InputContainer) -> VideoStream | None:
    """The first video, ready to be decoded; other streams are discarded. None where there is no video."""
    # FFmpeg takes text for a terminal's video.
    if not container.streams.video or container.format.name == "tty":
        return None
    video = container.streams.video[0]
    for other in container.streams:
        if other is not video:
            other.discard = av.stream.Discard.all
    if video.codec_context is not None:
        pyav.prepare(video.codec_context)
    return video


def nothing_came(access: Access) -> str:
    """The reason and the mend for a server that is silent."""
    return (
        f"timed out: nothing came for {access.timeout_s:g} s: check the camera and the network, "
        "or wait longer with --source-timeout"
    )


def unrecognised(access: Access) -> str:
    """The reason and the mend for data that was not recognised."""
    return (
        f"data came, and nothing in it was recognised within {access.patience_s:g} s: check that it is a video, let "
        "the camera send key frames more often, or wait longer: --source-timeout is a sixth of that"
    )


def why_not_opened(error: av.FFmpegError, uri: str, access: Access, took_s: float) -> str:
    """Why `open_stream` failed with ``error`` after ``took_s`` seconds, and the mend. Blocks: may connect again."""
    rtsp = kind_of(uri).startswith("rtsp")
    match error:
        case av.TimeoutError():
            return nothing_came(access)
        case av.ExitError():
            return unrecognised(access)
        # FFmpeg's RTSP reports invalid data when it times out.
        case av.InvalidDataError() if rtsp and took_s >= access.timeout_s:
            return nothing_came(access)
        case av.OSError(errno=errno.EPROTONOSUPPORT) if rtsp:
            return _other_transport(access)
        case av.HTTPUnauthorizedError():
            return in_words(error, access, timed_out=False, came=False) + encoding_hint(uri)
        case av.ConnectionRefusedError() | av.HTTPClientError() | av.HTTPServerError():
            return in_words(error, access, timed_out=False, came=False)
        case _:
            return second_look(uri, access) or in_words(error, access, timed_out=False, came=False)


def is_for_good(error: av.FFmpegError, access: Access, took_s: float) -> bool:
    """Whether `open_stream` would fail with ``error`` at every attempt; this one took ``took_s`` seconds."""
    if isinstance(error, av.InvalidDataError):
        return took_s < access.timeout_s  # later it is RTSP's time-out
    return isinstance(error, (av.HTTPUnauthorizedError, av.HTTPForbiddenError))


def _other_transport(access: Access) -> str:
    chosen = access.rtsp_transport
    other = next(one for one in Transport if one is not chosen)
    return f"offers no RTSP over {chosen.upper()}: ask for {other.upper()} with --rtsp-transport {other}"


def in_words(error: av.FFmpegError, access: Access, *, timed_out: bool, came: bool) -> str:
    """The reason for a failure, and the mend. FFmpeg's own text in it holds no address.

    ``came`` says that a frame has come over this connection.
    """
    match error:
        # FFmpeg's RTSP reports invalid data when it times out.
        case _ if timed_out or isinstance(error, (av.ExitError, av.TimeoutError)):
            return nothing_came(access)
        case av.ConnectionRefusedError():
            return "connection refused: check that it is switched on, and the port"
        case av.ConnectionResetError() | av.BrokenPipeError():
            return HUNG_UP
        case av.OSError(errno=errno.EIO) if came:  # an end over HTTP that was not announced
            return HUNG_UP
        case av.HTTPNotFoundError():
            return "not found (404): check the path"
        case av.HTTPUnauthorizedError():
            return "authentication failed (401): check user and password"
        case av.HTTPForbiddenError():
            return "authentication failed (403): this user may not see it"
        case av.InvalidDataError() if not came:
            return "is not a video that can be read: check the address"
        case av.OSError() if not came:
            return f"cannot be reached ({error.strerror}): check the name in the address, and the network"
        case _:
            return f"cannot be read ({error.strerror}): check the address and the network"
