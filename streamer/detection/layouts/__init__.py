"""The heads, a family in each file."""
