"""Fixtures for pytest. Name it in the top ``conftest.py``::

    pytest_plugins = ["quicchat.testing.plugin"]

``network`` is a :class:`quicchat.testing.Network` of the test's own. It works in coroutine tests of
any plugin for asyncio, and without one::

    async def test_hello(network):
        ada = await network.connect("ada")

    def test_hello(network):
        @network.run
        async def _():
            ada = await network.connect("ada")

Its settings come from the fixture ``network_options``, a dictionary, which a module, a class or a
test may override::

    @pytest.fixture
    def network_options():
        return {"rooms": ["#tea"], "operators": ["ada"]}

This module imports pytest, which the package does not depend on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import Network

__all__ = ["network", "network_options"]


@pytest.fixture
def network_options() -> dict[str, Any]:
    """What the network of a test is made with: nothing but the defaults. Override it."""
    return {}


@pytest.fixture
def network(network_options: dict[str, Any]) -> Iterator[Network]:
    """A server and its clients in memory, on a clock of their own."""
    made = Network(**network_options)
    yield made
    made.drop()
