"""Files that are no part of a run: the cache, the files that come with streamer, hashes."""
