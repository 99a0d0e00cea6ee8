"""Sentences as the code makes them, and as the table of docs/reference/claims.md lists them.

A sentence is a string of streamer's with two words or more, a string that ends with a full stop, or the name of a
verdict. Each ``{value}`` in it is a hole. Its place is the function that returns it, or the constant that holds it.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from fractions import Fraction
from types import ModuleType
from typing import Any

from tests.runs import ROOT

PAGE = ROOT / "docs" / "reference" / "claims.md"
HEADING = "| says | where | rule | thresholds | error rate |"
FEWEST_WORDS = 2
VERDICTS = ("Speed", "Verdict")
"""Enumerations of verdicts: each of their names is a sentence."""
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
HOLE = re.compile(r"\{[^{}]*\}")
CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Place:
    """A function or a constant with sentences: all its strings, and the functions' code."""

    name: str
    texts: list[str] = field(default_factory=list)
    nodes: list[ast.AST] = field(default_factory=list)

    @property
    def sentences(self) -> list[str]:
        """The strings that have to be in the table."""
        verdict = any(part in VERDICTS for part in self.name.split("."))
        return [text for text in dict.fromkeys(self.texts) if verdict or _is_sentence(text)]

    @property
    def limits(self) -> set[str]:
        """The names in capitals of the numbers that its code uses."""
        module = module_of(self.name)
        names = {one.id for node in self.nodes for one in ast.walk(node) if isinstance(one, ast.Name)}
        numbers = (name for name in names if name.isupper())
        return {name for name in numbers if isinstance(getattr(module, name, None), int | float | Fraction)}

    @property
    def compared(self) -> set[float]:
        """The numbers without a name that its code compares with. 0 to 3, which count, are left out."""
        tests = [one for node in self.nodes for one in ast.walk(node) if isinstance(one, ast.Compare)]
        tests = [one for one in tests if any(isinstance(operator, ORDER) for operator in one.ops)]
        values = [part.value for test in tests for part in ast.walk(test) if isinstance(part, ast.Constant)]
        numbers = {one for one in values if isinstance(one, int | float) and not isinstance(one, bool)}
        return numbers - set(range(4))


@dataclass(frozen=True)
class Row:
    """A row of the table, with its line in the file, from 1."""

    line: int
    sentences: list[str]
    places: list[str]
    rule: str
    thresholds: Mapping[str, str]
    error: str


def template(text: str) -> str:
    """A sentence whose holes have no names."""
    return HOLE.sub("{}", text)


def table(text: str) -> Iterator[Row]:
    """The rows of the table. A row with a first cell alone is a heading within the table, and is left out."""
    lines = text.splitlines()
    for number, line in enumerate(lines[lines.index(HEADING) + 2 :], start=lines.index(HEADING) + 3):
        if not line.startswith("|"):
            return
        says, where, rule, thresholds, error = (cell.strip() for cell in line.strip("|").split("|"))
        if where:
            yield Row(
                number,
                CODE.findall(says),
                _places(CODE.findall(where)),
                rule,
                dict(part.split(" = ") for part in CODE.findall(thresholds)),
                error,
            )


def _places(names: Sequence[str]) -> list[str]:
    """Names in full. A name that begins with a dot is in the module of the name before it."""
    found: list[str] = []
    for name in names:
        found.append(f"{module_name(found[-1])}{name}" if name.startswith(".") else name)
    return found


def module_name(place: str) -> str:
    """The module of a function or a constant, without ``streamer``. Raises LookupError when there is none."""
    parts = place.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath("streamer", *parts[:length])
        if path.with_suffix(".py").is_file():
            return ".".join(parts[:length])
    raise LookupError(f"{place} is in no module of streamer")


def module_of(place: str) -> ModuleType:
    """The same, imported."""
    return importlib.import_module(f"streamer.{module_name(place)}")


def value_of(threshold: str, places: Sequence[str]) -> Any:
    """The value of a threshold in the code: a constant of a module of ``places``, or of the module that it names.

    ``NAME[0].field`` is a part of a constant. ``Class.field`` is the default of a dataclass. Raises LookupError or
    AttributeError for a threshold that is not in the code.
    """
    name, *rest = re.findall(r"\w+", threshold)
    for place in places:
        found = getattr(module_of(place), name, None)
        if found is not None:
            break
    else:
        module = module_name(threshold)
        name, *rest = re.findall(r"\w+", threshold.removeprefix(f"{module}."))
        found = getattr(importlib.import_module(f"streamer.{module}"), name)
    for part in rest:
        found = _part(found, part)
    return found


def _part(of: Any, name: str) -> Any:
    if name.isdecimal():
        return of[int(name)]
    if isinstance(of, type) and is_dataclass(of):
        default = next(one.default for one in fields(of) if one.name == name)
        assert default is not MISSING, f"{of.__name__}.{name} has no default"
        return default
    return of[name] if isinstance(of, Mapping) else getattr(of, name)


def is_that(written: str, value: Any) -> bool:
    """Whether the table's text is a value of the code: a number, a fraction as in 1/3, or a word."""
    if isinstance(value, str):
        return written == value
    return abs(float(Fraction(written.replace(",", ""))) - float(value)) < 1e-9


def in_the_code() -> dict[str, Place]:
    """Every place of the package with strings, by name."""
    found: dict[str, Place] = {}
    for path in sorted((ROOT / "streamer").rglob("*.py")):
        reader = _Reader(".".join(path.relative_to(ROOT / "streamer").with_suffix("").parts))
        reader.visit(ast.parse(path.read_text(encoding="utf-8")))
        found.update(reader.found)
    return found


def _is_sentence(text: str) -> bool:
    words = [word for word in HOLE.sub(" ", text).split() if re.search("[a-z]{2}", word)]
    plain = [word for word in words if not re.search("[_=/]", word)]
    return len(plain) >= FEWEST_WORDS or (len(plain) == 1 and text.endswith(".") and "{" in text)


class _Reader(ast.NodeVisitor):
    """Reads the strings of a module. Docstrings, annotations, patterns, errors and assertions are left out."""

    def __init__(self, module: str) -> None:
        self.found: dict[str, Place] = {}
        self._at = [module]
        self._within_function = False

    def visit_Module(self, node: ast.Module) -> None:
        self._body(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._at.append(node.name)
        self._body(node.body)
        self._at.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if self._within_function:  # the sentences of an inner function are those of the outer one
            self._body(node.body)
            return
        self._at.append(node.name)
        self._within_function = True
        self._place().nodes.append(node)
        self._body(node.body)
        self._within_function = False
        self._at.pop()

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        targets, value = node.targets[0], node.value
        pairs = [(targets, value)]
        if isinstance(targets, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(targets.elts, value.elts, strict=True))
        for pair in pairs:
            self._assigned(*pair)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assigned(node.target, node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        pass

    def visit_Assert(self, node: ast.Assert) -> None:
        pass

    def visit_Compare(self, node: ast.Compare) -> None:
        pass

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "cast":
            self.visit(node.args[1])
        elif name not in ("compile", "TypedDict") and not name.endswith(("Error", "Unavailable")):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._place().texts.append("".join(map(_shown, node.values)).strip())
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.visit(value.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._place().texts.append(node.value.strip())

    def _place(self) -> Place:
        name = ".".join(self._at)
        return self.found.setdefault(name, Place(name))

    def _body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                self.visit(statement)

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        if self._within_function or not isinstance(target, ast.Name):
            self.visit(value)
            return
        self._at.append(target.id)
        self.visit(value)
        self._at.pop()


def _shown(part: ast.expr) -> str:
    """A part of an f-string. A value is shown by its name in the code, so that a row can be made from it."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    names: list[str] = [
        name
        for node in ast.walk(part)
        for name in (getattr(node, "attr", None), getattr(node, "id", None), getattr(node, "value", None))
        if isinstance(name, str) and name.isidentifier()
    ]
    return f"{{{names[0] if names else ''}}}"
