"""The port at which TensorBoard is found, and what is said where it cannot be."""

import io
import socket
import sys

import pytest
from boards import seen

from sdrun.errors import InputError, RunError
from sdrun.tools import tensorboard
from sdrun.tools.tensorboard import Server


@pytest.fixture
def used():
    """A port at which somebody listens."""
    with socket.create_server(("localhost", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_told_of_in_a_line(tmp_path, called, used):
    seen(tmp_path / "outputs/a", 0)
    code, out = called("tensorboard", "--port", str(used))
    assert code == 2
    assert out.splitlines() == [f"sdrun: --port: {used} is in use; give another one, or 0 for any that is free"]


def test_without_a_port_another_one_is_taken(monkeypatch, used):
    monkeypatch.setattr(tensorboard, "PORT", used)
    assert tensorboard._free_port("localhost", None) not in (0, used)


@pytest.mark.parametrize(
    ("host", "port", "key"), [("localhost", 70000, "--port"), ("192.0.2.1", 0, "--host 192.0.2.1")]
)
def test_what_is_no_port_or_host_of_this_machine_is_refused(host, port, key):
    with pytest.raises(InputError, match=f"^{key}[:,]"):
        tensorboard._free_port(host, port)


def test_where_tensorboard_ends_its_last_line_is_told(tmp_path):
    port = tensorboard._free_port("localhost", 0)
    with (tmp_path / "output").open("w+b") as output, Server(str(tmp_path), "localhost", port, output) as server:
        server.command = [sys.executable, "-c", "print('no such option\\n'); raise SystemExit(2)"]
        with pytest.raises(RunError, match="TensorBoard ended: no such option"):
            server.start()


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", "http://localhost:7/"), ("::1", "http://[::1]:7/"), ("a.b", "http://a.b:7/")]
)
def test_its_address(host, address):
    assert Server("", host, 7, io.BytesIO()).address == address


def test_a_folder_without_a_run_is_told_of(tmp_path, called):
    (tmp_path / "outputs").mkdir()
    code, out = called("tensorboard", "--port", "0")
    assert (code, out) == (2, "sdrun: outputs holds no run that logged anything\n")
    seen(tmp_path / "outputs/a", 0)
    assert "and has these settings" in called("tensorboard", "--port", "0", "--where", "seed=1")[1]
