"""Plans and runs as web pages: pure functions and templates, no assets from elsewhere."""
