"""docs/reference/engines.md, made of the rows of streamer/engines/variants.py."""

from __future__ import annotations

from collections.abc import Iterable

from streamer.detection.preprocess import Preprocessing
from streamer.engines.variants import RUNTIMES, TUTORIAL, VARIANTS, EngineSpec, Runtime
from tests.docs.pages.markdown import MADE, codes, table

HEADING = f"""# Engines

`--engine SPEC` is a recipe: a variant's name, with refinements after commas, as in `ir-fast,prime=on` or
`null,delay_ms=20`. The refinements combine freely. {MADE}

`streamer engines` says which variants can run here, and which come out as one configuration on this machine (`same
as`): on two cores without a GPU, `ir-threads` and `ir-auto` run just what `ir` runs. The *effective* configuration
decides, which is read back from the runtime.

"""
KEYS = {
    "threads": "the number of threads that infer",
    "precision": "the requested precision; the effective one is recorded, and a difference is a doubt",
    "device": "where it runs: CPU, GPU, NPU or AUTO, also as in `GPU.1`",
    "shared": "whether preprocess writes into the tensor's own memory",
    "preprocess": "where colour, layout and scale change; `off` leaves a gray input, to know the rest's own cost",
    "prime": "throw-away inferences before a frame is due: see [priming](../explain/latency.md#priming)",
    "requests": "inferences in flight at once; results keep the frames' order",
    "delay_ms": "how long it takes",
}
MORE = """| `UPPER_CASE=value` | a value of the runtime's | `openvino` | a property as it is; names and values are
checked |

## What they need

- The IR is made from the ONNX file on first use, and kept in the cache directory under the hash of the ONNX file.
- `pytorch` needs an extra, `pip install 'streamer[torch]'`. So do `onnxruntime` (`streamer[onnxruntime]`) and
  quantizing (`streamer[quantize]`).
- The CPU may run bf16 of its own accord where it has the instructions. The effective precision stands above every
  table and in `run.json`, that of a quantized model's convolutions beside it.
- `ir-gpu` needs an Intel GPU, `ir-npu` an Intel NPU. `pytorch-compile` compiles before the run, which takes a
  minute; the result is kept in the cache.

[Add an engine](../howto/add-an-engine.md) tells how to write one.
"""


def page() -> str:
    """What is to be in the file."""
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
    config += ["as many requests as the runtime finds best"] if spec.requests == 0 else []
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
