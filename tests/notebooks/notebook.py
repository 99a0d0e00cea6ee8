"""Notebooks that run in a kernel of their own, as nbclient runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.runs import environment
from tests.verified import runs_verified

HTML, TEXT = "text/html", "text/plain"


class Notebook(NotebookClient):  # type: ignore[misc]
    """Cells of code, to be run in ``cwd``; the displays of each are kept.

    The cell ``interrupted``, where one is given, is interrupted as the front end's button does it, as soon as it
    shows that frames were counted.
    """

    def __init__(self, cells: Sequence[str], cwd: Path, *, interrupted: int | None = None) -> None:
        document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        super().__init__(document, kernel_name="python3", timeout=100, resources={"metadata": {"path": str(cwd)}})
        self._cwd = cwd
        self._interrupted = interrupted
        self._interrupting: list[asyncio.Future[None]] = []
        self._displays: dict[int, list[tuple[str, dict[str, str]]]] = {}

    def run(self) -> Notebook:
        """All cells, run to their end. Raises CellExecutionError for an error of one of them."""
        with runs_verified(self._cwd):
            self.execute(env=environment())
        for done in self._interrupting:
            done.result()
        return self

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        kind, content = msg["msg_type"], msg["content"]
        if kind in ("display_data", "update_display_data"):
            self._displays.setdefault(cell_index, []).append((kind, content["data"]))
            if cell_index == self._interrupted and counted(content["data"][TEXT]):
                self._interrupted = None
                self._interrupting.append(asyncio.ensure_future(self.km.interrupt_kernel()))
        return super().process_message(msg, cell, cell_index)

    def displays(self, cell: int) -> list[tuple[str, dict[str, str]]]:
        """What the cell displayed, and the updates of that, in their order."""
        return self._displays.get(cell, [])

    def outputs(self, cell: int, kind: str) -> list[Any]:
        """The cell's outputs of a kind, as its document keeps them."""
        return [output for output in self.nb.cells[cell].outputs if output["output_type"] == kind]

    def result(self, cell: int) -> dict[str, str]:
        """What is shown of the cell's last expression, by its type."""
        (output,) = self.outputs(cell, "execute_result")
        shown: dict[str, str] = output["data"]
        return shown

    def printed(self, cell: int) -> str:
        """What the cell printed."""
        return "".join(output["text"] for output in self.outputs(cell, "stream"))


def counted(line: str) -> bool:
    """Whether a bar's line counts frames already."""
    return " of " in line and ": 0 of " not in line
