"""What styling costs: `python -m tests.bench` (see README.md)."""
