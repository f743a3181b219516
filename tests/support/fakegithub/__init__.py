"""A GitHub of its own for tests: stateful, on loopback, over real bare repositories."""
