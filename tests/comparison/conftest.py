import sys

import pytest

from sdrun import cli


@pytest.fixture
def called(monkeypatch, capsys):
    """``sdrun`` with these arguments: exit code, and all that it printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["sdrun", *arguments])
        code = cli.main()
        return code, "".join(capsys.readouterr())

    return call
