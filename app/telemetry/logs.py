"""Structured logs: one line of JSON per event in a cluster, readable lines on a terminal."""

import logging
import sys
from typing import Final, TextIO

import structlog

Log = structlog.stdlib.BoundLogger

_CHATTY: Final = ("botocore", "urllib3", "asyncio", "uvicorn.access", "uvicorn.error")
"""Libraries that tell of their every step: only their warnings are shown."""


class OurHandler(logging.StreamHandler[TextIO]):
    """The one handler that `configure` puts onto the root logger, and replaces when called again."""


def configure(*, level: str, as_json: bool) -> None:
    """Send every log line (ours and the libraries') to standard error.

    Args:
        level: the name of the least severe level shown, as `info`.
        as_json: one JSON object per line; otherwise coloured text.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.types.Processor = structlog.processors.JSONRenderer()
    if not as_json:
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a later configuration holds for those that have logged already
    )
    handler = OurHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [*(each for each in root.handlers if not isinstance(each, OurHandler)), handler]
    root.setLevel(level.upper())
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def get(name: str) -> Log:
    """A logger for a module (pass `__name__`: each line shows it); bind what every line should say."""
    return structlog.stdlib.get_logger(name)
