"""Repair: a complete record of a run that was killed."""
