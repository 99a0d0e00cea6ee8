"""``streamer soak``: a replay for hours, with verdicts."""
