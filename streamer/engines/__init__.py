"""The engines: variants are rows of data, runtimes are a row and a file each.

To add a variant, add a row to ``VARIANTS`` in ``variants.py``. To add a runtime, write a file with a class that
implements ``Engine`` in ``base.py``, and add its name and its row to ``RUNTIMES`` in ``variants.py``; the contract
suite in ``tests/contract`` then runs its variants.
"""
