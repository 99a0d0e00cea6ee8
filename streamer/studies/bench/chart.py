"""``bench.png``: the bar chart of OpenVINO's latency tutorial, with its colours and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.charts.canvas import HEIGHT_INCH, WIDTH_INCH, add_axes, new_figure, save
from streamer.charts.captions import fold, where_it_ran, words
from streamer.charts.palette import BLACK, GRAY
from streamer.charts.panel import grid, linear
from streamer.engines.variants import TUTORIAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHART_FILE = "bench.png"
RAINBOW = ("#0000FF", "#004EFF", "#009EFF", "#00EEFF", "#00FF82", "#1EE100", "#BE4100")
"""OpenCV's COLORMAP_RAINBOW at every tenth of the tutorial's 80 places, with blue and red exchanged as there."""
LABELS = (
    "PyTorch model",
    "ONNX model",
    "OpenVINO IR model",
    "OpenVINO IR model on GPU",
    "OpenVINO IR model + more inference threads",
    "OpenVINO IR model in latency mode",
    "OpenVINO IR model in latency mode + shared memory",
)
STYLES = dict(zip(TUTORIAL, zip(LABELS, RAINBOW, strict=True), strict=True))
OTHERS = "#8C8C8C"
LEFT_INCH, RIGHT_INCH = 0.95, 0.25
LEVEL = 8
"""The most bars with horizontal labels; the labels of more bars are vertical, for want of room."""
LETTERS_AN_INCH, LINE_INCH = 12.5, 0.175
UPRIGHT_COLUMNS = 32


def draw_bench(directory: Path, document: Mapping[str, Any]) -> Path:
    """Draws ``bench.png`` from the document; returns its path. Raises SinkError."""
    path = directory / CHART_FILE
    save(bench_figure(document), path)
    return path


def bench_figure(document: Mapping[str, Any]) -> Figure:
    """The chart: a bar for each engine, an empty place for an engine that cannot run here."""
    rows = document["engines"]
    around = words(document["answer"], _what_ran(document), where_it_ran(document))
    slot_inch = (WIDTH_INCH - LEFT_INCH - RIGHT_INCH) / len(rows)
    level = len(rows) <= LEVEL
    labels = [_label(row, document["run"]["input"], level, slot_inch) for row in rows]
    lines = max(map(len, labels))
    letters = max(len(line) for label in labels for line in label)
    labels_inch = 0.2 + (LINE_INCH * lines if level else letters / LETTERS_AN_INCH)
    figure = new_figure()
    around.write(figure)
    height = HEIGHT_INCH - around.inches_above - labels_inch - around.inches_below
    axes = add_axes(figure, LEFT_INCH, RIGHT_INCH, around.inches_above, height)
    _draw(axes, rows, 2 if level else 1)
    axes.set_xticks(
        range(len(rows)),
        ["\n".join(lines) for lines in labels],
        rotation="horizontal" if level else "vertical",
        size=10,
        parse_math=False,
    )
    return figure


def _what_ran(document: Mapping[str, Any]) -> list[str]:
    run, (height, width) = document["run"], document["model"]["input_size"]
    image = Path(document["source"]["uri"]).name
    return [
        f"mean of {run['number']:,} inferences in a row, one engine after the other",
        f"model {document['model']['name']}",
        f"image {image} as {width}x{height}",
        "float32 input" if run["input"] == "float32" else "input as in the tutorial",
    ]


def _label(row: Mapping[str, Any], fed: str, level: bool, slot_inch: float) -> list[str]:
    """The label of a bar: the engine, its precision and input, and the engine that runs in the same way."""
    text, _ = _style(row["engine"])
    columns = int(slot_inch * LETTERS_AN_INCH) if level else UPRIGHT_COLUMNS
    went_in = ", ".join(filter(None, (row["precision"], row["input"] if fed == "tutorial" else None)))
    same = f"same as {_style(row['same_as'])[0]}" if row["same_as"] else ""
    return [*fold(text, columns, 5), *fold(went_in, columns, 2), *fold(same, columns, 2)]


def _style(engine: str) -> tuple[str, str]:
    """The tutorial's label and colour of an engine; any other has its SPEC, and gray."""
    return STYLES.get(engine, (engine, OTHERS))


def _draw(axes: Axes, rows: Sequence[Mapping[str, Any]], decimals: int) -> None:
    for place, row in enumerate(rows):
        _, colour = _style(row["engine"])
        mean = row["mean_ms"]
        if mean is not None:
            axes.bar(place, mean, 0.8, color=colour)
        axes.annotate(
            "not here" if mean is None else f"{mean:,.{decimals}f} ms",
            (place, mean or 0),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            size=10.5 if decimals > 1 else 9,
            weight="normal" if mean is None else "bold",
            color=GRAY if mean is None else BLACK,
        )
    axes.set_xlim(-0.6, len(rows) - 0.4)
    linear(axes, max((row["mean_ms"] or 0 for row in rows), default=0))
    axes.set_ylabel("Inference time [ms]")
    axes.set_title("Performance difference", size=12, color=BLACK, pad=8)
    grid(axes)
    axes.grid(False, axis="x")
    axes.tick_params(axis="x", length=0)
