"""What a parity study shows: progress while it runs, a table and a sentence when it is done; or one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.accuracy.mean_average_precision import Accuracy
from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.detection.class_names import label_of
from streamer.studies.parity.left_out import frames_part, sentences, truth_part
from streamer.studies.parity.parity_csv import FILE, as_dict
from streamer.studies.parity.rows import EngineParity, Verdict, plain_answer
from streamer.studies.parity.study import Parity
from streamer.studies.table_cells import number


def with_progress(study: Parity, console: Console) -> Iterator[EngineParity]:
    """The study's rows, with a progress bar on ``console`` while they come; nothing where that is no terminal."""
    frames = len(study.frames.indices)
    total = frames * (1 + len(study.others))
    with (
        cursor_shown_while_stopped(console),
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(study.reference.spec, total=total)
        rows = study.rows(lambda spec: progress.update(task, description=spec, advance=1))
        for number, row in enumerate(rows, start=1):
            # An engine that cannot run, or a source that ends early, is done all the same.
            progress.update(task, completed=number * frames)
            yield row


def print_report(study: Parity, rows: Sequence[EngineParity], out: Path, console: Console) -> None:
    """The table, what could not run and why, what was left out, the file, and the sentence of plain answer."""
    console.print(_table(study, rows))
    lines = [f"unavailable  {row.spec}: {row.why}" for row in rows if row.verdict is Verdict.UNAVAILABLE]
    lines += [f"{heading:11}  {said}" for heading, said in sentences(study)]
    for line in (*lines, f"file         {out / FILE}"):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(plain_answer(rows, len(study.others)), style="bold", highlight=False, markup=False, soft_wrap=True)


def as_document(study: Parity, rows: Sequence[EngineParity], out: Path) -> dict[str, Any]:
    """The same for programs, with each class's average precision besides."""
    names = study.model.names
    return {
        "source": study.frames.info.uri,
        "model": study.model.name,
        "reference": study.reference.spec,
        "min_agreement": study.settings.min_agreement,
        "truth": None if study.truth is None else study.truth.name,
        "frames": frames_part(study),
        "truth_left_out": truth_part(study),
        "file": str(out / FILE),
        "answer": plain_answer(rows, len(study.others)),
        "engines": [{**as_dict(row), "per_class": _per_class(row.accuracy, names)} for row in rows],
    }


def _table(study: Parity, rows: Sequence[EngineParity]) -> Table:
    """A row per engine; narrow enough for 80 columns, so that the rest of its columns are in the file alone."""
    judged = study.truth is not None
    table = Table(
        title=f"{study.model.name} on {rows[0].frames} frames of {study.frames.info.uri}, "
        f"agreement with {study.reference.spec}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
    )
    table.add_column("engine", overflow="fold")
    table.add_column("in", no_wrap=True)
    for heading in ("found", "agreed", "of", "box px", "conf.", *(("mAP50", "50-95") if judged else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", min_width=11)
    for row in rows:
        cells = as_dict(row)
        table.add_row(
            "reference" if row.verdict is Verdict.REFERENCE else row.spec,
            " ".join(word for word in (*row.devices, row.precision) if word not in ("CPU", "")),
            f"{row.detections:,}" if row.frames else "",
            number(cells["agreement"], 3),
            "" if cells["compared"] is None else f"{cells['compared']:,}",
            number(cells["box_px_mean"], 2),
            number(cells["confidence_mean"], 3),
            *((number(cells["map50"], 3), number(cells["map50_95"], 3)) if judged else ()),
            _verdict(row),
        )
    return table


def _verdict(row: EngineParity) -> str:
    if row.verdict is Verdict.REFERENCE:
        return ""
    return row.verdict.value + (f", same as {row.same_as}" if row.same_as else "")


def _per_class(accuracy: Accuracy | None, names: Sequence[str]) -> dict[str, Any] | None:
    if accuracy is None:
        return None
    return {
        label_of(names, class_id): {
            "objects": one.objects,
            "ap50": _rounded(one.ap50),
            "ap50_95": _rounded(one.ap50_95),
        }
        for class_id, one in accuracy.per_class.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
