"""Measures Intendant beside bare ansible-playbook, in turn, in one run: `python -m bench`."""
