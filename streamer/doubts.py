"""Doubts about a run's figures: each a sentence with a number."""

from __future__ import annotations

from streamer.ledger import Ledger
from streamer.pipeline import Pipeline


def doubts(pipeline: Pipeline, ledger: Ledger) -> list[str]:
    """What a reader should know before trusting the run's figures."""
    found = []
    if pipeline.ungated > ledger.scheduled / 100:
        found.append(
            f"the engine left no gap to decode in: {pipeline.ungated} of {ledger.scheduled} frames were decoded "
            "while another was being measured, which costs inference 5 to 10 % on two cores"
        )
    if pipeline.undrawn:
        found.append(f"{pipeline.undrawn} dropped frames are not in the video: too many waited for their place")
    return found
