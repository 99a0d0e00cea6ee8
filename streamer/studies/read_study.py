"""A finished study, read from its document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamer.errors import UsageError
from streamer.files.json_document import read_document
from streamer.run.reopened import A_SIGNAL


def read_study(path: Path, newest: int) -> tuple[dict[str, Any], str | None]:
    """The document of a ``schema_version`` up to ``newest``, and what ended the study early, if something did.

    The document does not say which signal it was. Raises UsageError when it cannot be read.
    """
    document = read_document(path, newest)
    try:
        return document, A_SIGNAL if document["run"]["interrupted"] else None
    except (LookupError, TypeError) as error:
        raise UsageError(f"{path} cannot be understood ({error!r}): give the directory of a study") from error
