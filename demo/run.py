"""`make demo`: request, diff, approval, apply, on a disposable host. Exits 0 when every step went as said."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The lab lies in tests/; both are found here also when this file is run by hand.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from demo.story import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main())
