"""The machine: its properties, the contention on it, and what this process uses of it."""
