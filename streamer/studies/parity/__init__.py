"""``streamer parity``: whether engines find the same."""
