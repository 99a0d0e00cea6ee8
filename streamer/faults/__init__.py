"""Faults on purpose, injected into the source, the engine, the sink and the process of a run.

A run without a plan contains nothing of this.
"""
