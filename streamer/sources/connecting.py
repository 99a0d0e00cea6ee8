"""Opening a network stream: with what options, and why it fails, in words."""

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
    # The rate is measured by us, of the frames that come: FFmpeg would look at 20 of them before it gives the first.
    "fpsprobesize": "0",
    # In microseconds of the stream: sound that was announced and never comes, as in FLV, is not waited for.
    "analyzeduration": "1000000",
}
RTSP = {"fflags": "nobuffer"}
"""What was read to find out about the stream is old by then. (A file over HTTP is to come from its first frame.)"""
HUNG_UP = "hung up: the connection was closed; check the camera and the network"
UNDECODABLE = "gives no picture that can be decoded: check the camera's codec, and that it sends key frames"


def open_stream(uri: str, access: Access) -> InputContainer:
    """Connects to an address, and reads enough to know what comes.

    Raises av.FFmpegError; TimeoutError among these when nothing came, ExitError when that which came is not known by
    the end of `Access.patience_s`. Raises SourceError when certificates are to be checked and cannot be.
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
    """FFmpeg's, for its demuxer and its protocols."""
    # Without a number of its own FFmpeg waits for ever; PyAV's time-out does not tell silence from what is not known.
    silence_us = str(round(access.timeout_s * 1_000_000))
    # Over HTTP too, which may be sent on to HTTPS. What FFmpeg does unless it is told changes with its version.
    options = {**LIVE, "tls_verify": str(int(access.tls_verify))}
    if access.tls_verify:
        options["ca_file"] = trusted_certificates()
    if kind.startswith("rtsp"):
        return {**options, **RTSP, "rtsp_transport": access.rtsp_transport.value, "timeout": silence_us}
    return {**options, "rw_timeout": silence_us}


def loses_packets(uri: str, access: Access) -> bool:
    """Its packets come over a transport that loses some."""
    return kind_of(uri) == "rtsp" and access.rtsp_transport is Transport.UDP


def access_notes(uri: str, access: Access) -> list[str]:
    """What is to be known about how an address was reached, a sentence each."""
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
    """The first video, ready to be decoded, without what else comes with it; None where there is none."""
    # FFmpeg plays text, as an old terminal would.
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
    """What is said of a server that is silent."""
    return (
        f"timed out: nothing came for {access.timeout_s:g} s: check the camera and the network, "
        "or wait longer with --source-timeout"
    )


def unrecognised(access: Access) -> str:
    """What is said of data in which there was nothing to go by."""
    return (
        f"data came, and nothing in it was recognised within {access.patience_s:g} s: check that it is a video, let "
        "the camera send key frames more often, or wait longer: --source-timeout is a sixth of that"
    )


def why_not_opened(error: av.FFmpegError, uri: str, access: Access, took_s: float) -> str:
    """Why `open_stream` failed with ``error`` after so many seconds, with its mend. Blocks: it may ask once more."""
    rtsp = kind_of(uri).startswith("rtsp")
    match error:
        case av.TimeoutError():
            return nothing_came(access)
        case av.ExitError():
            return unrecognised(access)
        # When its time is up, FFmpeg's RTSP says that it found invalid data.
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
    """Whether `open_stream` will fail so whenever it is tried, as far as ``error`` tells after so many seconds."""
    if isinstance(error, av.InvalidDataError):
        return took_s < access.timeout_s  # else RTSP's word for silence
    return isinstance(error, (av.HTTPUnauthorizedError, av.HTTPForbiddenError))


def _other_transport(access: Access) -> str:
    asked = access.rtsp_transport
    other = next(one for one in Transport if one is not asked)
    return f"offers no RTSP over {asked.upper()}: ask for {other.upper()} with --rtsp-transport {other}"


def in_words(error: av.FFmpegError, access: Access, *, timed_out: bool, came: bool) -> str:
    """What went wrong, told apart, with its mend; the text is FFmpeg's, which holds no address.

    ``came``: there has been a frame over this connection.
    """
    match error:
        # When its time is up, FFmpeg's RTSP says that it found invalid data.
        case _ if timed_out or isinstance(error, (av.ExitError, av.TimeoutError)):
            return nothing_came(access)
        case av.ConnectionRefusedError():
            return "connection refused: check that it is switched on, and the port"
        case av.ConnectionResetError() | av.BrokenPipeError():
            return HUNG_UP
        case av.OSError(errno=errno.EIO) if came:  # HTTP's word for an end that was not announced
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
