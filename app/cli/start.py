"""Where the `spillway` command begins: it takes Ctrl-C in good order while the rest is still being loaded."""

import sys
from typing import Final

_INTERRUPTED: Final = 130


def main() -> None:
    """The console script; ends with 130, and without a word, where it is interrupted before it began."""
    try:
        from app.cli.main import main as run  # noqa: PLC0415  (loading it takes a second, and may be interrupted)

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
