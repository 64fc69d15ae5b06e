"""What our promises cost, measured side by side with what promises less. ``python -m tests.benchmarks``."""
