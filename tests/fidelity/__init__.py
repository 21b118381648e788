"""Measures whether every role does what its plan says: `python -m fidelity`, which `make fidelity` calls."""
