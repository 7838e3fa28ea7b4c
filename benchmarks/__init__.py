"""Measures of the goals of docs/benchmarks.md: ratios within one run, each against a named floor."""
