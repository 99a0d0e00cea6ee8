"""``streamer bench``: the tutorial's closed loop."""
