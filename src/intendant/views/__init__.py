"""Plans and runs as text, Markdown and results: pure functions."""
