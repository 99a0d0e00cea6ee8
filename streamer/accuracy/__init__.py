"""How right detections are: agreement, ground truth, mean average precision, streaming accuracy."""
