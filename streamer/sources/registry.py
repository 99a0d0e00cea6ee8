"""The kinds of sources, a row each: from SOURCE as it was written to an open source."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.address import kind_of, of_no_file, without_credentials
from streamer.errors import UsageError
from streamer.sources.access import TIMEOUT_S, Access, Transport
from streamer.sources.base import Source
from streamer.sources.device import CameraSource
from streamer.sources.images import ImageSource, is_images
from streamer.sources.network import StreamSource
from streamer.sources.video_file import VideoSource
from streamer.street.marker import SCENE
from streamer.vendors.opencv import load_opencv

NowUs = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A kind of source.

    ``written`` is how one is given, in words. It is recognised by the scheme of its address (``schemes``, as returned
    by `address.kind_of`), or, without a scheme, as a path that it ``fits``. ``open`` takes the address, whether files
    start again at their end, the function that reads the clock, the number of the stream to play, and how network
    streams are reached. That number is None unless the kind ``holds_streams``. A ``live`` one paces itself and has no
    end.
    """

    written: str
    open: Callable[[str, bool, NowUs, int | None, Access], Source]
    schemes: tuple[str, ...] = ()
    fits: Callable[[Path], bool] = lambda path: False
    live: bool = False
    holds_streams: bool = False


def _number(uri: str) -> int:
    number = uri.partition(":")[2]
    if not (number.isascii() and number.isdecimal() and len(number) < 5):
        raise UsageError(f"{of_no_file(uri)} is no camera: give its number, as in camera:0")
    return int(number)


def _street(uri: str) -> Source:
    from streamer.sources.synthetic import parse_synthetic  # imports the whole street, which no other source needs

    return parse_synthetic(uri)


_ADDRESSES = ("rtsp", "rtsps", "http", "https")
ROWS = (
    Row(
        written="a video file",
        open=lambda uri, loop, _now_us, video_stream, _access: VideoSource(
            Path(uri), loop=loop, video_stream=video_stream
        ),
        fits=lambda path: not is_images(path),
        holds_streams=True,
    ),
    Row(
        written="an image, a folder of images",
        open=lambda uri, loop, *_: ImageSource(Path(uri), loop=loop),
        fits=is_images,
    ),
    Row(
        written="camera:N",
        open=lambda uri, _loop, now_us, _stream, access: CameraSource(
            _number(uri), now_us=now_us, timeout_s=access.timeout_s
        ),
        schemes=("camera",),
        live=True,
    ),
    Row(
        written=f"an address with {', '.join(f'{scheme}://' for scheme in _ADDRESSES)}",
        open=lambda uri, _loop, now_us, _stream, access: StreamSource(uri, now_us=now_us, access=access),
        schemes=_ADDRESSES,
        live=True,
    ),
    Row(written=SCENE, open=lambda uri, *_: _street(uri), schemes=("synthetic",)),
)
"""To add a kind, write its file, and its row here."""


def open_source(
    uri: str, *, loop: bool, now_us: NowUs, video_stream: int | None = None, access: Access | None = None
) -> Source:
    """The source that ``uri`` names, opened, with its first frame decoded.

    ``loop`` starts files again at their end. ``now_us`` reads the monotonic clock, in microseconds, by which live
    sources stamp arrivals. ``video_stream`` chooses one of a file's video streams by its number. ``access`` has the
    options for network streams.

    Raises UsageError where there is no such source, SourceError where it cannot be opened or read, and LibraryMissing
    where OpenCV, which every source needs, cannot be loaded.
    """
    load_opencv()
    kind = kind_of(uri)
    if kind:
        row = _row_of(kind)
        if row is None:
            *most, last = (each.written for each in ROWS)
            raise UsageError(f"{without_credentials(uri)} is no source: give {', '.join(most)}, or {last}")
    elif os.path.exists(uri):
        row = next(row for row in ROWS if row.fits(Path(uri)))
    else:
        raise UsageError(f"no such file: {of_no_file(uri)}")
    if video_stream is not None and not row.holds_streams:
        raise UsageError(f"--video-stream {video_stream}: {without_credentials(uri)} is no video file: leave it out")
    return row.open(uri, loop, now_us, video_stream, access or Access())


def _row_of(kind: str) -> Row | None:
    return next((row for row in ROWS if kind in row.schemes), None)


def is_live(uri: str) -> bool:
    """Whether the source paces itself and has no end: a camera or an address."""
    row = _row_of(kind_of(uri))
    return row is not None and row.live


def check_access(uris: Sequence[str], access: Access) -> None:
    """Raises UsageError for an option in ``access`` that applies to no source, or is impossible."""
    kinds = {kind_of(uri) for uri in uris}
    if access.timeout_s != TIMEOUT_S and not any(map(is_live, uris)):
        raise UsageError(f"--source-timeout {access.timeout_s:g}s: no source is a camera or an address; leave it out")
    if access.rtsp_transport is Transport.UDP:
        if "rtsps" in kinds:
            raise UsageError("--rtsp-transport udp: rtsps:// goes over TCP; leave it out, or give an rtsp:// address")
        if "rtsp" not in kinds:
            raise UsageError("--rtsp-transport udp: no source is an rtsp:// address; leave it out")
    if access.tls_verify and not kinds & {"rtsps", "https"}:
        raise UsageError("--tls-verify: no source is an rtsps:// or https:// address; leave it out")


def refuse_live(uri: str) -> None:
    """Raises UsageError for a live source, which shows no frame twice."""
    if is_live(uri):
        raise UsageError(f"{without_credentials(uri)} is live and shows no frame twice: record it, and give the file")
