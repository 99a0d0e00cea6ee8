"""What the machine is, what else is at work on it, and what this process takes of it."""
