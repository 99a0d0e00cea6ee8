"""A finished record of a run that was killed."""
