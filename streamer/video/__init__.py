"""Video files: read, indexed, written."""
