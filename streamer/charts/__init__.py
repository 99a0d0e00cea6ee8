"""The chart of a run, the parts that all charts share, and how results are shown in notebooks."""
