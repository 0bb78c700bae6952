"""`python -m app` is the `spillway` command."""

from app.cli.start import main

main()
