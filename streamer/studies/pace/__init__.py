"""``streamer pace``: one engine at several frame rates."""
