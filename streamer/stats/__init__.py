"""Statistics of a run: pure functions, and watchers of the ledger."""
