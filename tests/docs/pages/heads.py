"""docs/reference/heads.md, made from the rows of streamer/detection/heads.py and their forms."""

from __future__ import annotations

from benchmarks.conformance.forms import FORMS
from streamer.detection.head import By, Head
from streamer.detection.heads import HEADS, recognise
from streamer.detection.input_spec import InputSpec
from tests.docs.pages.markdown import MADE

HEADING = f"""# Heads

A head is how the outputs of a detector are laid out. `streamer models list` and `model.head` in `run.json` name it.
{MADE}

- *recognised by*: the metadata, the names of inputs and outputs, or the shapes of all outputs. Heads with outputs of
  the same shapes are distinguished by the model's output values for a black picture.
- *assumed input*: the preprocessing that is assumed when no other source states it, in the words of `--input`.
- *NMS*: who does it. `done` means that the model's outputs need none.
- *tried with*: real models whose boxes agree with an independent decode (`python -m benchmarks.reference_models`). An
  untried head follows its exporter's own code or documents. Every head decodes its synthetic model in every engine
  (`python -m benchmarks.conformance`).

| head | models | recognised by | assumed input | NMS | tried with |
|---|---|---|---|---|---|
"""
RECOGNISED_BY = {
    By.METADATA: "metadata",
    By.NAMES: "names",
    By.SHAPE: "shape",
    By.RARE_SHAPE: "shape",
}


def page() -> str:
    """The text of the page."""
    return HEADING + "".join(map(_row, HEADS.values()))


def _row(head: type[Head]) -> str:
    form = FORMS[head.name]
    found = recognise(form.signature, form.hints)
    by = RECOGNISED_BY[found.by] + (", values" if found.others else "")
    tried = ", ".join(name.removesuffix(".onnx") for name in form.tried) or "untried"
    left = "done" if head.suppressed else "streamer's"
    return f"| `{head.name}` | {head.about} | {by} | `{words(head.assumed)}` | {left} | {tried} |\n"


def words(spec: InputSpec) -> str:
    """A preprocessing in the words of ``--input``."""
    parts = [spec.colour.value, f"range={spec.low:g}..{spec.high:g}"]
    for name, numbers in (("mean", spec.mean), ("scale", spec.scale)):
        if set(numbers) not in ({0}, {1}):
            parts.append(f"{name}={','.join(f'{number:g}' for number in numbers)}")
    parts.append(spec.fit.value)
    if spec.fit.value.startswith("letterbox"):
        parts.append(f"pad={spec.pad}")
    return ",".join(parts)
