"""SOURCE as text: its kind, its short name, and its text without credentials."""

from __future__ import annotations

import os
import re
from pathlib import Path

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE | re.ASCII)
_OWN_KINDS = re.compile(r"(camera|synthetic):", re.IGNORECASE)
_MISTYPED = re.compile(
    r"""\W*(
        (rtsps?|https?|rtmps?|udp|srt)\b[^A-Za-z0-9]*[/\\].*[@?=]  # a scheme that is known, and not written right
        | [^/\\]*:.*@  # user:password@host without a scheme
        | [^/\\]*:\d+/.*[?=]  # host:554/live?token=
        | [^/\\]*//.*[@?=]
        | (localhost|\d+(\.\d+){3})\b.*[@?=]
    )""",
    re.IGNORECASE | re.ASCII | re.VERBOSE | re.DOTALL,
)
"""Text that is an address rather than a path, though it has no scheme."""
_DRIVE = re.compile(r"[a-z]:[/\\](?![/\\])", re.IGNORECASE)
_LOOKS_SECRET = re.compile("token|pass|pwd|key|auth|secret|sig|usr|user|access|login|cred|session", re.IGNORECASE)
_PAIR = re.compile(r"([^=&?/;#]*)=([^&#]*)")
_BARE = re.compile(r"(?<=[?&;#])[^=&?/;#]{3,}(?=[&;#]|$)")
_PLAIN_KEY = re.compile(
    "audio|bitrate|cam|camera(id)?|ch|channel(id)?|chn|codec|compression|date|duration|end(time)?|format|fps|framerate|"
    "h|height|index|mode|multicast|overview|profile|proto|protocol|quality|rate|res|resolution|rotation|scale|size|"
    "speed|start(time)?|stream(id|profile|type)?|substream|subtype|t|tcp|timeout|track(id)?|transport|transportmode|"
    "type|udp|unicast|video|videocodec|w|width",
    re.IGNORECASE,
)
"""Keys of addresses whose values are harmless; those of other keys may be a secret."""
_PLAIN_VALUE = re.compile(r"[\w.:,+-]{0,32}", re.ASCII)
_SHORT = 2
"""A value of up to so many characters is no secret."""


def kind_of(uri: str) -> str:
    """``camera``, ``synthetic`` or the scheme of an address, in lower case; empty for a path."""
    match = _SCHEME.match(uri) or _OWN_KINDS.match(uri)
    return match[1].lower() if match else ""


def without_credentials(uri: str) -> str:
    """A source as it may be shown and stored, in letters that can be written.

    In an address ``***`` stands for the user and the password, and for the values of keys that are not known to be
    harmless. Rather too much is hidden than too little, since a password may hold the characters that end it. Text
    that looks like a mistyped address is treated alike. Paths, cameras and synthetic sources hold no credentials
    and stay as they are; bytes of a path that are no UTF-8 become ``\\xff``.
    """
    match = _SCHEME.match(uri)
    if match is not None:
        return writable(match[0] + _address_hidden(uri[match.end() :]))
    if _OWN_KINDS.match(uri) or not _MISTYPED.match(uri) or _DRIVE.match(uri) or os.path.lexists(uri):
        return writable(uri)
    return of_no_file(uri)


def of_no_file(text: str) -> str:
    """The same for a text that was given as a source and is none: it may be an address, however it is written."""
    match = _SCHEME.match(text)
    if match is not None:
        return without_credentials(text)
    before, at, rest = text.rpartition("@")
    scheme = re.match(r"\W*[a-z]*[^A-Za-z0-9]*(?=/)/*|", before, re.IGNORECASE | re.ASCII)
    assert scheme is not None
    return writable((scheme[0] + "***@" if at else "") + _pairs_hidden(rest))


def _address_hidden(rest: str) -> str:
    """The part after the scheme, without credentials."""
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    before, _, behind = rest.rpartition("@")
    if "@" in rest and ("@" in authority or ":" in before):
        rest = f"***@{behind}"
    elif "%40" in authority:
        rest = f"***@{rest.partition('%40')[2]}"
    return _pairs_hidden(rest)


def _pairs_hidden(rest: str) -> str:
    """The text without values that may be secret: some cameras have them in the path."""
    return _BARE.sub(lambda match: match[0] if _PLAIN_KEY.fullmatch(match[0]) else "***", _PAIR.sub(_pair, rest))


def _pair(match: re.Match[str]) -> str:
    key, value = match[1], match[2]
    plain = _PLAIN_VALUE.fullmatch(value) and (_PLAIN_KEY.fullmatch(key) or len(value) <= _SHORT)
    return match[0] if plain and not _LOOKS_SECRET.search(key) else f"{key}=***"


def writable(text: str) -> str:
    """The text with bytes that are no UTF-8 as ``\\xff``, since no file and no terminal accepts them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text


def slug(uri: str) -> str:
    """A short name for a source, without credentials, for the name of its run directory.

    The stem of a file, ``camera0``, ``street-seed7``, or the host and the last part of the path of an address.
    """
    kind = kind_of(uri)
    if not kind:
        return Path(os.path.abspath(without_credentials(uri))).stem
    rest = uri[len(kind) + 1 :]
    if kind == "camera":
        return f"camera{rest}"
    if kind == "synthetic":
        scene, *refinements = rest.split(",")
        seeds = [refinement.replace("=", "") for refinement in refinements if refinement.startswith("seed=")]
        return "-".join([scene, *seeds])
    address = without_credentials(uri)[len(kind) + 3 :].removeprefix("***@")
    authority, *parts = re.split("[?#]", address, maxsplit=1)[0].split("/")
    host = re.sub(r":\d*$", "", authority)
    return "-".join([host, *[part for part in parts if part][-1:]])
