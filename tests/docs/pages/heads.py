"""docs/reference/heads.md, made of the rows of streamer/detection/heads.py and their forms."""

from __future__ import annotations

from benchmarks.conformance.forms import FORMS
from streamer.detection.head import By, Head
from streamer.detection.heads import HEADS, recognise
from streamer.detection.input_spec import InputSpec
from tests.docs.pages.markdown import MADE

HEADING = f"""# Heads

A head is how the outputs of a detector are laid out. `streamer models list` and `model.head` in `run.json` name it.
{MADE}

- *recognised by*: the metadata, the names of inputs and outputs, or the shapes of all outputs. Heads of one shape
  are told apart by the values that come of a black picture.
- *takes*: the preprocessing that is assumed where nothing tells it, in the words of `--input`.
- *NMS*: whether any is left for streamer to do.
- *tried with*: real models whose boxes agree with an independent decode (`python -m benchmarks.reference_models`). A
  head that is untried is built on its exporter's own code or documents. Every head decodes its synthetic model in
  every engine (`python -m benchmarks.conformance`).

| head | whose | recognised by | takes | NMS | tried with |
|---|---|---|---|---|---|
"""
TOLD_BY = {
    By.METADATA: "metadata",
    By.NAMES: "names",
    By.SHAPE: "shape",
    By.RARE_SHAPE: "shape",
}


def page() -> str:
    """What is to be in the file."""
    return HEADING + "".join(map(_row, HEADS.values()))


def _row(head: type[Head]) -> str:
    form = FORMS[head.name]
    found = recognise(form.signature, form.hints)
    told_by = TOLD_BY[found.by] + (", values" if found.others else "")
    tried = ", ".join(name.removesuffix(".onnx") for name in form.tried) or "untried"
    left = "done" if head.suppressed else "streamer's"
    return f"| `{head.name}` | {head.about} | {told_by} | `{words(head.assumed)}` | {left} | {tried} |\n"


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
