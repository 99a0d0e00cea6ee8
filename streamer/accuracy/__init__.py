"""The accuracy of detections: agreement, ground truth, mean average precision, streaming accuracy."""
