"""When frames are due."""
