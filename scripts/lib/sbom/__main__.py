"""`python -m scripts.lib.sbom`: write the bill of materials, or say what does not fit and end with 1."""

import argparse
import hashlib
import os
import sys
from pathlib import Path

from scripts.lib.sbom.cyclonedx import Helper, bill
from scripts.lib.sbom.installed import packages
from scripts.lib.sbom.locked import BillError, pins


def main(arguments: list[str] | None = None) -> None:
    """Read what is installed and the helper; write to --output, or to standard output."""
    options = _options().parse_args(arguments)
    try:
        found = packages(options.site_packages, lock=pins(options.lock), wheels=options.wheels)
    except BillError as error:
        sys.exit(f"sbom: {error}")
    helper = Helper(
        sha256=hashlib.sha256(options.helper.read_bytes()).hexdigest(), musl=options.musl.read_text().strip()
    )
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    text = bill(found, helper=helper, epoch=int(epoch) if epoch else None)
    if options.output:
        options.output.write_text(text)
    else:
        sys.stdout.write(text)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sbom", description="Write a bill of materials (CycloneDX 1.6).")
    parser.add_argument("--site-packages", type=Path, required=True, help="where the packages are installed")
    parser.add_argument("--lock", type=Path, required=True, help="the lock file with hashes")
    parser.add_argument("--wheels", type=Path, help="the wheels that were installed; their hashes are told")
    parser.add_argument("--helper", type=Path, required=True, help="the in-task helper, as it was built")
    parser.add_argument("--musl", type=Path, required=True, help="a file with the version of musl in it")
    parser.add_argument("--output", type=Path, help="where to write; else to standard output")
    return parser


if __name__ == "__main__":
    main()
