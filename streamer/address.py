"""SOURCE as text: what kind it is, its short name, and how it is shown without its credentials."""

from __future__ import annotations

import os
import re
from pathlib import Path

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE | re.ASCII)
_OWN_KINDS = re.compile(r"(camera|synthetic):", re.IGNORECASE)
_SECRET = re.compile(
    r"([^=&?/;#]*(?:token|pass|pwd|key|auth|secret|sig|usr|user|access|login|cred|session)[^=&?/;#]*)=[^&#]*",
    re.IGNORECASE,
)
"""A key that looks secret, and its value: up to the next ``&``, for some cameras have it in the path."""


def kind_of(uri: str) -> str:
    """``camera``, ``synthetic`` or the scheme of an address, in lower case; empty for a path."""
    match = _SCHEME.match(uri) or _OWN_KINDS.match(uri)
    return match[1].lower() if match else ""


def without_credentials(uri: str) -> str:
    """An address as it may be shown and stored: ``***`` for the user and the password, and for values of secret keys.

    Rather too much is left out than too little: a password may hold the characters that end it. Paths, cameras and
    synthetic sources hold no credentials and stay as they are.
    """
    match = _SCHEME.match(uri)
    if match is None:
        return uri
    rest = uri[match.end() :]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in rest and ("@" in authority or ":" in authority):
        rest = f"***@{rest.rpartition('@')[2]}"
    return match[0] + _SECRET.sub(r"\1=***", rest)


def slug(uri: str) -> str:
    """A short name for a source, without credentials: what a run directory is called after it.

    The stem of a file, ``camera0``, ``street-seed7``, or the host and the last part of the path of an address.
    """
    kind = kind_of(uri)
    if not kind:
        return Path(os.path.abspath(uri)).stem
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
