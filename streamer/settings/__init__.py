"""The options of a run: a row each, and from what people type."""
