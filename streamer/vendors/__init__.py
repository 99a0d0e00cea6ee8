"""The only imports of libraries that need care."""
