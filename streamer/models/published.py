"""The detectors whose weights Ultralytics publishes."""

from __future__ import annotations

FAMILIES = {
    "yolov5": "nsmlx",
    "yolov8": "nsmlx",
    "yolov9": "tsmce",
    "yolov10": "nsmblx",
    "yolo11": "nsmlx",
    "yolo12": "nsmlx",
    "yolo26": "nsmlx",
}
"""Ultralytics' detectors, and the sizes that each is published in."""

FILES = {
    f"{family}{size}": f"{family}{size}{'u' if family == 'yolov5' else ''}.pt"
    for family, sizes in FAMILIES.items()
    for size in sizes
}
"""The file of each name. YOLOv5's ends in u: it has the layout of its successors."""
