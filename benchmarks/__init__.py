"""Where the figures in the docs come from; each module runs with `python -m benchmarks.NAME`."""
