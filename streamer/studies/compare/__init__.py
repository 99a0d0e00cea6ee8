"""``streamer compare``: several engines, in turn."""
