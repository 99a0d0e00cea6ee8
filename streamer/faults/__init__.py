"""Faults on purpose: what is to go wrong in a run, put around its source, its engine, its sink and its process.

Without a plan nothing of this is in a run.
"""
