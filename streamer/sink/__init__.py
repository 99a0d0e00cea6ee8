"""The sink: where results go."""
