"""What goes wrong in the lab."""


class LabError(RuntimeError):
    """A lab host, or something it needs, could not be made; the message says what and what to do."""
