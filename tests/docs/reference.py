"""The pages of docs/ that are made from the code: ``python -m tests.docs.reference`` writes them."""

from __future__ import annotations

from tests.docs.pages import api, csv_columns, doubts, engines, exit_codes, faults, heads, options, run_json
from tests.runs import ROOT

FOLDER = ROOT / "docs/reference"
PAGES = {
    "api.md": api.page,
    "csv-columns.md": csv_columns.page,
    "doubts.md": doubts.page,
    "engines.md": engines.page,
    "exit-codes.md": exit_codes.page,
    "faults.md": faults.page,
    "heads.md": heads.page,
    "options.md": options.page,
    "run-json.md": run_json.page,
}
"""The function that makes each page."""

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
