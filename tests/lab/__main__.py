"""`python -m lab`."""

import sys

from .cli import app
from .errors import LabError

try:
    app(prog_name="python -m lab")
except LabError as error:
    sys.exit(f"lab: {error}")
