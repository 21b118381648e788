"""Real Debian hosts on this machine, booted in about a second each, for tests and the demo."""

from .errors import LabError
from .hosts import LabHost
from .labs import Lab
from .mirror import PythonMirror
from .needs import install_packages, missing

__all__ = ["Lab", "LabError", "LabHost", "PythonMirror", "install_packages", "missing"]
