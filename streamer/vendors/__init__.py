"""The only imports of libraries that need special care."""
