"""``streamer models quantize``: a model's INT8 form."""
