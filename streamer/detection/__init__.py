"""From pixels to boxes: preprocess, heads, postprocess, drawing."""
