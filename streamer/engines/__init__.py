"""The engines: variants are rows of data in ``spec``, runtimes are one file each.

To add a variant, add a row to ``VARIANTS`` in ``variants.py``. To add a runtime, write a file with a class that keeps
the contract of ``Engine`` in ``base.py``, and name it in ``registry.py``; the contract suite in
``tests/contract`` then runs it.
"""
