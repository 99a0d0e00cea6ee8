"""Pictures of finished runs, drawn from what a run directory holds."""
