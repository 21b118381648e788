"""Configure real servers by conversation: request, plan with diff, approval, apply."""

__version__ = "0.1.0"
