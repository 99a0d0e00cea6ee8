"""What streamer promises of its own speed and memory, measured against its peers in turn.

Each module is run by hand (``python -m benchmarks.harness``), prints target, figure, machine and PASS or MISS, and
exits with 1 after a MISS. The footage and the COCO model are looked for in ``../shared``.
"""
