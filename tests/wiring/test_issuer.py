import base64
import json
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509

from app.settings import IssuerSettings, load
from app.wiring.clock import SystemClock
from app.wiring.issuer import config_of, run
from app.wiring.stopping import StartError
from tests.kube.conftest import a_kubeconfig
from tests.kube.server import response, wire_server


def test_each_service_is_named_as_pods_and_the_api_server_may_name_it() -> None:
    config = config_of(load(IssuerSettings, {"namespace": "ops", "services": "a-webhook"}))
    assert config.dns == (
        "a-webhook",
        "a-webhook.ops",
        "a-webhook.ops.svc",
        "a-webhook.ops.svc.cluster.local",
    )


def test_addresses_are_told_from_names_and_written_in_one_way() -> None:
    given = {"services": "a", "extra_names": "10.0.0.7,fd00:0::1,web.example.com,a"}
    config = config_of(load(IssuerSettings, given))
    assert config.ips == ("10.0.0.7", "fd00::1")
    assert config.dns[-1] == "web.example.com"
    assert config.names == {*config.dns, *config.ips}


def dated(answer: bytes, date: str) -> bytes:
    """The same answer of a server whose clock says so, and which hangs up after it."""
    return answer.replace(b"\r\n", f"\r\nConnection: close\r\nDate: {date}\r\n".encode(), 1)


async def test_what_is_issued_is_valid_by_the_api_servers_clock(tmp_path: Path) -> None:
    its_time = SystemClock().now() - timedelta(days=365)
    async with wire_server() as server:
        for status in (404, 404, 404, 403):
            server.answer(dated(response(status, b"{}"), format_datetime(its_time, usegmt=True)))
        config = a_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{server.port}")
        with pytest.raises(StartError):
            await run(load(IssuerSettings, {"kubeconfig": config, "once": "true"}))
    made = json.loads(server.seen[-1].body)
    ca = x509.load_pem_x509_certificate(base64.b64decode(made["data"]["ca.crt"]))
    assert its_time - timedelta(hours=1) < ca.not_valid_before_utc < its_time
