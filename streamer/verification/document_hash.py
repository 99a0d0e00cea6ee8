"""The hash that ``run.json`` has of itself: it finds slips, not forgeries, which come with a new hash."""

from __future__ import annotations

import hashlib
import json

from streamer.verification.manifest import HASHED_FROM, NAME, NEWEST, Document
from streamer.verification.reasons import Reasons

FIELD = "document_sha256"
NEVER_NULL = (
    *("streams", "decode_errors", "drop_reasons", "objects", "after_damage", "preprocess_start_ms"),
    "omission_gap",
)
PROMISED = ("stopped_by", "tail", "windows", "parts", "pieces", "gaps", "repaired")
PROMISED_OF_RUN = ("deadline_asked_ms", "arrivals", "rounds", "percentiles")
PROMISED_OF_STREAMS = ("own_sizes", "announced_fps", "live", "gaps", "loops_after")
"""Fields that not all older documents have. They are checked where they are present; the first are never null."""


def check_document(document: Document, reasons: Reasons) -> bool:
    """Checks the hash of all other fields: of their JSON in UTF-8, keys sorted, no spaces between tokens.

    Returns False when there is no hash: the document is from before it. Raises Unreadable.
    """
    version = document.whole("schema_version")
    if version > NEWEST:
        reasons.add(f"{NAME} schema_version: found {version}, expected up to {NEWEST}: a newer streamer wrote it")
    if not document.has(FIELD):
        if document.all_declared:
            reasons.add(f"{NAME} {FIELD}: is missing, and schema_version is {version}")
        return False
    if not document.all_declared and not document.has("repaired"):
        reasons.add(f"{NAME} schema_version: found {version}, expected {HASHED_FROM} or more as {FIELD} is there")
    _check_promised(document, reasons)
    rest = {name: part for name, part in document.root.items() if name != FIELD}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    expected = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if document.text(FIELD) != expected:
        reasons.add(f"{NAME} {FIELD}: found {document.text(FIELD)[:12]}, expected {expected[:12]}: it was changed")
    return True


def _check_promised(document: Document, reasons: Reasons) -> None:
    if not document.all_declared:
        return
    missing = [name for name in NEVER_NULL if not document.has(name)]
    missing += [name for name in PROMISED if name not in document.root]
    missing += [f"run.{name}" for name in PROMISED_OF_RUN if name not in document.group("run")]
    for at, stream in enumerate(document.many("streams") if document.has("streams") else []):
        missing += [
            f"streams, {at}, {name}"
            for name in PROMISED_OF_STREAMS
            if isinstance(stream, dict) and name not in stream
        ]
    for name in missing:
        reasons.add(f"{NAME} {name}: is missing")
