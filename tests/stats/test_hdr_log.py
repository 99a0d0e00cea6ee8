"""The log that HdrHistogram's own tools read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from streamer.errors import SinkError
from streamer.stats.distribution import Distribution
from streamer.stats.hdr_log import write_hdr_log


def test_what_is_written_comes_back_by_hdrhistograms_own_reader(tmp_path: Path) -> None:
    figures = {"latency": Distribution(), "age": Distribution()}
    random = np.random.default_rng(11)
    for values, scale in zip(figures.values(), (20_000, 90_000), strict=True):
        for value in random.exponential(scale, 5_000).astype(int).tolist():
            values.add(value)
    path = tmp_path / "histograms.hlog"
    write_hdr_log(path, figures, 12.5)
    reader = HistogramLogReader(str(path), HdrHistogram(1, 1 << 37, 3))
    for name, values in figures.items():
        histogram = reader.get_next_interval_histogram()
        assert histogram.get_tag() == name
        assert histogram.get_total_count() == 5_000
        (p99,) = values.order_statistics([4_950])
        assert histogram.get_value_at_percentile(99) == pytest.approx(p99, rel=0.001)
    reader.close()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write"):
        write_hdr_log(tmp_path / "no" / "where.hlog", {}, 1.0)
