"""HdrHistogram's own log format, for tools that read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogWriter

from streamer.errors import SinkError
from streamer.stats.distribution import MOST_US, Distribution


def write_hdr_log(path: Path, figures: Mapping[str, Distribution], duration_s: float) -> None:
    """Writes a histogram per figure, tagged with its name, in microseconds. Raises SinkError."""
    try:
        with path.open("w", encoding="ascii") as file:
            writer = HistogramLogWriter(file)
            writer.output_log_format_version()
            writer.output_legend()
            for name, values in figures.items():
                histogram = HdrHistogram(1, MOST_US, 3)
                for value, count in zip(*(column.tolist() for column in values.buckets()), strict=True):
                    histogram.record_value(min(value, MOST_US), count)
                # The writer knows no tags; the format and its readers do.
                payload = histogram.encode().decode("ascii")
                file.write(f"Tag={name},0.000,{duration_s:.3f},{values.max},{payload}\n")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error
