"""Source, preprocess, infer and sink stages at work on frames; the only tasks."""
