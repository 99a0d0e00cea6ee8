"""The heads, one file per family."""
