"""Speed and memory, side by side with loops written by hand and with other libraries.

``python -m benchmarks`` runs everything, ``python -m benchmarks step`` one part; each prints its table and keeps
it in ``benchmarks/results/``. What is measured and how to read it: ``docs/speed.md``.
"""
