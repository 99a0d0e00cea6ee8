"""streamer as a library: each study as a function, with the options of its command."""
