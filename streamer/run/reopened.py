"""A run that finished some time ago, from its directory."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from streamer.errors import StreamerError, UsageError
from streamer.files.json_document import read_document
from streamer.run.finished import Run
from streamer.run.manifest import Manifest
from streamer.run.setup import SCHEMA_VERSION
from streamer.rundir.paths import MANIFEST
from streamer.stats.summary import figures_of

A_SIGNAL = "a signal"
"""What stopped a run whose document does not name the signal."""


def read_run(directory: Path) -> Run:
    """The run whose ``run.json`` is in the directory, of this streamer or an older one.

    The ``failure`` of one that failed has the message alone, not the kind of the error. Raises UsageError when it
    cannot be read.
    """
    manifest = cast(Manifest, read_document(directory / MANIFEST, SCHEMA_VERSION))
    try:
        figures = figures_of(manifest)
        error = manifest.get("error")
        failure = None if error is None else StreamerError(error)
        return Run(directory, manifest, figures, failure, stopped_by(manifest))
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{directory / MANIFEST} cannot be understood ({error!r}): look at it with streamer verify {directory}"
        ) from error


def stopped_by(manifest: Manifest) -> str | None:
    """What stopped a run before its end, as in SIGINT; `A_SIGNAL` when an older streamer did not note which."""
    noted = manifest.get("stopped_by")
    if noted is not None or manifest["verdict"] != "INTERRUPTED":
        return noted
    return A_SIGNAL if manifest.get("repaired") is None else "a kill"
