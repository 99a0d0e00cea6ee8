"""Pure statistics of a run."""
