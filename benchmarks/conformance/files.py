"""The files of the tiny model of a head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.conformance.forms import Form
from benchmarks.conformance.ir_file import write_ir
from benchmarks.conformance.onnx_file import write_onnx
from benchmarks.conformance.recipe import recipe


@dataclass(frozen=True, slots=True)
class Files:
    """The tiny model of a head in its formats; ``model_api`` is what OpenVINO's Model API calls it, if anything.

    The IR lies in a folder of its own, named and furnished as Ultralytics does it.
    """

    onnx: Path
    ir: Path
    model_api: str | None


def write_files(name: str, form: Form, folder: Path) -> Files:
    """Writes the model of the head of this name into ``folder``."""
    made = recipe(name, form)
    plain = "".join(letter if letter.isalnum() else "_" for letter in name)
    beside = folder / f"{plain}_openvino_model"
    beside.mkdir()
    if "task" in form.metadata:
        (beside / "metadata.yaml").write_text(_yaml(form), encoding="utf-8")
    return Files(
        write_onnx(made, folder / f"{plain}.onnx"),
        write_ir(made, beside / f"{plain}.xml"),
        form.model_api,
    )


def _yaml(form: Form) -> str:
    lines = [f"{key}: {value}" for key, value in form.metadata.items() if key != "names"]
    names = (f"  {number}: {name}" for number, name in enumerate(form.names or ()))
    return "\n".join([*lines, "names:", *names, ""])
