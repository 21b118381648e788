"""How well requests in words are understood, measured on labelled requests: `PYTHONPATH=tests python -m words`."""
