"""docs/reference/claims.md lists each sentence that streamer may print, and the thresholds of the code behind it."""

from __future__ import annotations

import re

from tests.docs.claims import PAGE, Place, Row, in_the_code, is_that, table, template, value_of
from tests.runs import ROOT

SILENT = {
    "usage and refusals": (
        "__main__ address aio api cli settings errors files pipeline workers "
        "accuracy.ground_truth._Classes accuracy.ground_truth._read repair.repair._error "
        "sources.certificates sources.connecting sources.connection sources.registry sources.second_look "
        "stats.slo._wrong studies.soak.conduct.GOES_ON studies.soak.soak_settings "
        "video.opening video.reader.VideoReader._decode_first video.stream_choice.choose "
        "verification"
    ),
    "charts and notebooks, which show the documents": (
        "charts detection street studies.bench.chart studies.compare.chart studies.compare.chart_bars "
        "studies.pace.chart studies.pace.chart_panels studies.soak.chart studies.soak.chart_panels "
        "studies.bench.result studies.parity.result"
    ),
    "texts from and for other programs": (
        "engines machine.info machine.load_workers.Command models studies.bench.benchmark_app vendors "
        "video.parts.opened video.pictures"
    ),
    "columns, which docs/reference/csv-columns.md explains": (
        "studies.shared_columns studies.compare.compare_csv studies.pace.pace_csv studies.parity.parity_csv "
        "studies.bench.rows.COLUMNS studies.bench.rows._PERCENTILE studies.soak.windows_csv"
    ),
    "requests, and names": (
        "faults.kinds faults.late_arrivals faults.plan run.session run.setup run.summarize.End.failing rundir "
        "sources.many_pictures.ANIMATED_WEBP "
        "studies.bench.study.BenchSettings studies.parity.study.ParitySettings studies.engine_choice.ENGINE"
    ),
}
"""Places without claims, by the reason. A row may name one of them all the same."""
NO_THRESHOLDS = {"MICROSECOND", "MOST_DENOMINATOR", "NEVER", "QUANTILE", "RATE", "SCHEMA_VERSION"}
"""Units and the like, and RISK in another form."""
UNITS = {100, 1000, 1_000_000}
"""Percent, milliseconds and microseconds in a comparison."""
FOUND_BY = re.compile(r"none|by construction|measured|not known")

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = list(table(TEXT))
EVERYWHERE = in_the_code()
NAMED = {place for row in ROWS for place in row.places}
LOUD = [
    place
    for name, place in EVERYWHERE.items()
    if name in NAMED
    or not any(f"{name}.".startswith(f"{silent}.") for names in SILENT.values() for silent in names.split())
]


def without_a_row(place: Place, rows: list[Row]) -> list[str]:
    """The sentences of a place that are in none of these rows that name it."""
    listed = {template(sentence) for row in rows if place.name in row.places for sentence in row.sentences}
    return [sentence for sentence in place.sentences if template(sentence) not in listed]


def not_so(row: Row) -> list[str]:
    """The sentences, places and thresholds of a row that differ from the code."""
    wrong = [f"there is no {name}" for name in row.places if name not in EVERYWHERE]
    texts = {template(text) for name in row.places if name in EVERYWHERE for text in EVERYWHERE[name].texts}
    wrong += [f"no place of the row has {one!r}" for one in row.sentences if template(one) not in texts]
    for threshold, written in row.thresholds.items():
        try:
            value = value_of(threshold, row.places)
        except (AttributeError, LookupError):
            wrong.append(f"there is no threshold {threshold}")
        else:
            wrong += [] if is_that(written, value) else [f"{threshold} is {value}"]
    return wrong


def test_each_sentence_has_a_row() -> None:
    missing = [(place.name, sentences) for place in LOUD if (sentences := without_a_row(place, ROWS))]
    to_add = [
        f"| {' '.join(f'`{one}`' for one in sentences)} | `{name}` | RULE | | none: ERROR |"
        for name, sentences in missing
    ]
    assert not missing, "\n".join([f"add to {PAGE.relative_to(ROOT)}, or to one of its rows:", *to_add])


def test_each_row_agrees_with_the_code() -> None:
    wrong = [f"{PAGE.name}, line {row.line}: {one}" for row in ROWS for one in not_so(row)]
    assert not wrong, "\n".join(wrong)


def test_each_row_has_a_rule_and_an_error_rate_with_its_origin() -> None:
    benchmarks = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    for row in ROWS:
        measured_by = re.findall(r"`benchmarks\.(\w+)`", row.error)
        assert row.sentences, row.line
        assert row.rule, row.line
        assert FOUND_BY.match(row.error), row.line
        assert set(measured_by) <= benchmarks, row.line
        assert measured_by or not row.error.startswith("measured"), row.line


def test_each_number_by_which_a_sentence_is_stated_is_a_threshold_of_a_row() -> None:
    wrong = []
    for name in sorted(NAMED & EVERYWHERE.keys()):
        listed = {one.split(".")[-1] for row in ROWS if name in row.places for one in row.thresholds}
        place = EVERYWHERE[name]
        wrong += [f"add {one} to the thresholds of {name}" for one in sorted(place.limits - listed - NO_THRESHOLDS)]
        wrong += [f"give {one:g} a name in {name}" for one in sorted(place.compared - UNITS)]
    assert not wrong, "\n".join(wrong)


def test_a_new_sentence_a_lost_one_and_another_threshold_are_found() -> None:
    row = next(row for row in ROWS if row.places == ["run.doubts.of_priming"])
    place = EVERYWHERE["run.doubts.of_priming"]
    assert without_a_row(Place(place.name, [*place.texts, "it was {warm} outside"]), ROWS) == [
        "it was {warm} outside"
    ]
    assert without_a_row(place, [one for one in ROWS if one is not row])
    header, _, rest = TEXT.partition("| `nothing was primed")
    for old, new, why in (
        ("nothing was primed", "something was primed", "no place of the row has"),
        ("0.005", "0.006", "DELAYED_SHARE is 0.005"),
        ("DELAYED_SHARE =", "DELAYED_A_LOT =", "there is no threshold DELAYED_A_LOT"),
        ("of_priming", "of_nothing", "there is no run.doubts.of_nothing"),
    ):
        changed = f"{header}{(f'| `nothing was primed{rest}').replace(old, new)}"
        wrong = [reason for one in table(changed) for reason in not_so(one)]
        assert any(why in reason for reason in wrong)
