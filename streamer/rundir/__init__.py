"""The run directory: its paths, its CSV files, its segments."""
