"""Secrets Manager and Parameter Store as one thing: their operations, and what tasks read of them."""

from collections.abc import Callable, Mapping

from app.local.fargate.config import FargateConfig
from app.local.fargate.protocol.wire import Json
from app.local.fargate.vault.parameters_api import ParametersApi
from app.local.fargate.vault.secret_store import SecretStore
from app.local.fargate.vault.secrets_api import SecretsApi
from app.local.fargate.vault.values import SecretValues
from app.ports.clock import Clock


class Vault:
    """Everything secret of one account and region; `values` reads it as tasks do."""

    def __init__(self, config: FargateConfig, *, clock: Clock, ids: Callable[[], str]) -> None:
        self._secrets = SecretsApi(config=config, store=SecretStore(), clock=clock, ids=ids)
        self._parameters = ParametersApi(config=config, clock=clock)
        self.values = SecretValues(secrets=self._secrets, parameters=self._parameters)

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations of both services."""
        return {**self._secrets.operations(), **self._parameters.operations()}
