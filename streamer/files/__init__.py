"""Files that are no part of a run: the cache, what comes with streamer, hashes."""
