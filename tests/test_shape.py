"""The size of functions: at most 60 lines, and 12 parameters."""

from __future__ import annotations

import ast

from tests.runs import ROOT

MOST_LINES = 60
MOST_PARAMETERS = 12


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The number of its parameters without ``self`` or ``cls``."""
    given = function.args
    first = [one.arg for one in (*given.posonlyargs, *given.args)][:1]
    many = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
    return many + (given.vararg is not None) + (given.kwarg is not None) - (first in (["self"], ["cls"]))


def test_no_function_has_more_than_60_lines_or_12_parameters() -> None:
    found = []
    for path in sorted((ROOT / "streamer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                many, lines = parameters(node), (node.end_lineno or node.lineno) - node.lineno + 1
                if many > MOST_PARAMETERS or lines > MOST_LINES:
                    found.append(f"{path.relative_to(ROOT)}: {node.name} has {many} parameters and {lines} lines")
    assert not found, "\n".join(found)
