"""`python -m app` is the `spillway` command."""

from app.cli.main import main

main()
