"""The benchmarks behind the figures in the docs. Run them with `python -m benchmarks.NAME`."""
