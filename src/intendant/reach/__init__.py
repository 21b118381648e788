"""Whether hosts can be reached, and what mends it where not. Nothing here changes a host or accepts a key."""
