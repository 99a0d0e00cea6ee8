"""OpenVINO IR made from an ONNX file on first use, in the user's cache."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from streamer.cache import cache_dir
from streamer.errors import EngineError, EngineUnavailable
from streamer.models import Model
from streamer.openvino_quiet import ov


def ensure_ir(model: Model) -> Path:
    """The model's IR: its own, or one made from its ONNX file with FP16 weights and kept under the file's hash.

    Raises EngineUnavailable when the model has neither, EngineError when the conversion fails.
    """
    if "ir" in model.files:
        return model.files["ir"]
    if "onnx" not in model.files:
        raise EngineUnavailable(f"model {model.name} has no ONNX or IR file: give one with --model FILE.onnx")
    kept = cache_dir() / "ir" / model.hashes["onnx"]
    if not (kept / "model.xml").is_file() or not (kept / "model.bin").is_file():
        _make(model.files["onnx"], kept)
    return kept / "model.xml"


def _make(onnx: Path, kept: Path) -> None:
    """Converts into a directory of its own and renames it: of two first runs at once, one wins whole."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=kept.parent))
        try:
            # read_model and save_model: convert_model would start telemetry.
            ov.save_model(ov.Core().read_model(onnx), scratch / "model.xml", compress_to_fp16=True)
            if kept.exists() and not (kept / "model.bin").is_file():
                shutil.rmtree(kept, ignore_errors=True)
            scratch.rename(kept)
        except OSError:
            if not (kept / "model.xml").is_file():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except (OSError, RuntimeError) as error:
        raise EngineError(f"cannot make the IR of {onnx.name} in {kept.parent}: {error}") from error
