"""What a study leaves behind beside its picture and its runs: a document, and its rows as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from streamer.errors import SinkError
from streamer.rundir.rundir import write_whole


def write_files(out: Path, stem: str, columns: str, rows: Sequence[Mapping[str, Any]], document: Any) -> None:
    """Writes ``<stem>.csv`` with these columns of the rows, and ``<stem>.json``. Raises SinkError."""
    table = io.StringIO()
    writer = csv.DictWriter(table, columns.split(","), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(_flat(row)) for row in rows)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write into {out}: {error.strerror}") from error
    write_whole(out / f"{stem}.csv", table.getvalue())
    write_whole(out / f"{stem}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is nested lies flat, its unit last: ``service_ms.p50`` becomes ``service_p50_ms``."""
    for name, value in row.items():
        if not isinstance(value, Mapping):
            yield name, value
        elif name == "frames":
            yield from value.items()
        else:
            unit = "_ms" if name.endswith("_ms") else ""
            for key, one in value.items():
                yield f"{name.removesuffix('_ms')}{'' if key == 'value' else f'_{key}'}{unit}", one
