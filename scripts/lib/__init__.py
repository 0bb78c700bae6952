"""Generated pages and benchmarks."""
