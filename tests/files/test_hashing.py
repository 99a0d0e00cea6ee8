"""The hash of a document is that of what stands in it, however it is laid out."""

from __future__ import annotations

import json

import pytest

from streamer.files.hashing import document_sha256


def test_the_layout_of_a_document_does_not_matter() -> None:
    document = {"b": [1, 2.5, None], "a": {"é": "text", "c": True}}
    read = json.loads(json.dumps(dict(reversed(document.items())), indent=4))
    assert document_sha256(read) == document_sha256(document)
    assert document_sha256({**document, "b": [1, 2.5000000001, None]}) != document_sha256(document)


def test_a_name_that_is_no_text_has_a_hash() -> None:
    name = b"caf\xe9.csv".decode("utf-8", "surrogateescape")
    assert document_sha256({"arrivals": name}) == document_sha256(json.loads(json.dumps({"arrivals": name})))


def test_what_is_no_number_in_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        document_sha256({"latency": float("inf")})
