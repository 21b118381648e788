"""Classifies shell commands: what only reads, what changes, what destroys, and what cannot be told."""
