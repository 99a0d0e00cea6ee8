"""Charts of a run, and what all charts share."""
