from tests.aws.account.conftest import account, calls, connected, front, moto, options, time, vpc

__all__ = ["account", "calls", "connected", "front", "moto", "options", "time", "vpc"]
