"""docs/reference/engines.md, made from the rows of streamer/engines/variants.py."""

from __future__ import annotations

from collections.abc import Iterable

from streamer.detection.preprocess import Preprocessing
from streamer.engines.variants import RUNTIMES, TUTORIAL, VARIANTS, EngineSpec, Runtime
from tests.docs.pages.markdown import MADE, codes, table

HEADING = f"""# Engines

`--engine SPEC` is a variant's name with refinements after commas, as in `ir-fast,prime=on` or `null,delay_ms=20`. The
refinements combine freely. {MADE}

`streamer engines` lists the variants that can run on this machine. It also lists variants with one and the same
configuration here (`same as`). On two cores without a GPU, for example, `ir-threads` and `ir-auto` have the
configuration of `ir`. The *effective* configuration decides. It is read back from the runtime.

"""
KEYS = {
    "threads": "the number of threads that infer",
    "precision": "the requested precision; the effective precision is recorded, and a difference is a doubt",
    "device": "the device: CPU, GPU, NPU or AUTO, or one of several as in `GPU.1`",
    "shared": "whether preprocess writes into the tensor's own memory",
    "preprocess": "where colour, layout and scale are converted; `off` leaves a gray input and measures the rest",
    "prime": "throw-away inferences before a frame is due: see [priming](../explain/latency.md#priming)",
    "requests": "inferences in flight at once; results keep the order of the frames",
    "delay_ms": "the time of an inference in ms",
}
MORE = """| `UPPER_CASE=value` | a value | `openvino` | an OpenVINO property; name and value are checked |

## What they need

- The IR is made from the ONNX file on first use. It stays in the cache directory under the hash of the ONNX file.
- `pytorch` needs an extra, `pip install 'streamer[torch]'`. So do `onnxruntime` (`streamer[onnxruntime]`) and
  quantizing (`streamer[quantize]`).
- OpenVINO may choose bf16 on a CPU with bf16 instructions. The effective precision is above every table and in
  `run.json`. Beside it is the precision of a quantized model's convolutions.
- `ir-gpu` needs an Intel GPU, `ir-npu` an Intel NPU. `pytorch-compile` compiles before the run, which takes a minute.
  The compiled model stays in the cache.

[Add an engine](../howto/add-an-engine.md) explains how to write one.
"""


def page() -> str:
    """The text of the page."""
    return (
        HEADING
        + table(
            "variant", "runs", "runtime", "device", "configuration", "input", rows=map(_variant, VARIANTS.values())
        )
        + f"\nThe tutorial's seven (`--engines tutorial`) are {codes(TUTORIAL)}.\n\n## Refinements\n\n"
        + table("refinement", "takes", "of", "meaning", rows=map(_key, _keys()))
        + MORE
    )


def _keys() -> list[str]:
    """The refinements of all runtimes, in the order of the first that has each."""
    return list(dict.fromkeys(key for row in RUNTIMES.values() for key in row.keys))


def _variant(spec: EngineSpec) -> tuple[str, ...]:
    config = [f"`{name}={value}`" for name, value in spec.config]
    config += ["primed"] if spec.prime else []
    config += ["the number of requests that the runtime recommends"] if spec.requests == 0 else []
    config += ["compiled"] if spec.compiled else []
    device = spec.device if RUNTIMES[spec.runtime].devices else ""
    return f"`{spec.variant}`", spec.about, spec.runtime.value, device, ", ".join(config), _input(spec)


def _input(spec: EngineSpec) -> str:
    if not spec.file:
        return ""
    numbers = "8-bit BGR" if spec.preprocess is Preprocessing.GRAPH else "the preprocessed array"
    if spec.shared:
        return f"{numbers}, in the tensor's own memory"
    return f"{numbers}, copied in" if spec.runtime is Runtime.OPENVINO else numbers


def _key(key: str) -> tuple[str, ...]:
    takers = {runtime: row.keys[key] for runtime, row in RUNTIMES.items() if key in row.keys}
    words = tuple(dict.fromkeys(word for values in takers.values() for word in values))
    fewer = [f"{runtime.value}: {_words(values)}" for runtime, values in takers.items() if values != words]
    of = "all" if len(takers) == len(RUNTIMES) else codes(runtime.value for runtime in takers)
    return f"`{key}=`", _words(words), f"{of} ({'; '.join(fewer)})" if fewer else of, KEYS[key]


def _words(words: Iterable[str]) -> str:
    return codes(map(str, words)) or "a value"
