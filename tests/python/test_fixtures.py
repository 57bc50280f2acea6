"""The fixtures of quicchat.testing.plugin, as a program's own tests use them."""

import pytest

import quicchat

pytest_plugins = ["quicchat.testing.plugin"]


def test_a_network_for_a_test_without_an_event_loop(network):
    @network.run
    async def _():
        ada = await network.connect("ada")
        await (await ada.join("#lobby")).send("hello")
        assert isinstance((await network.received(ada))[-1], quicchat.Message)


class TestOptions:
    @pytest.fixture
    def network_options(self):
        return {"rooms": ["#tea"], "accounts": ["ada"]}

    def test_the_options_are_overridden_by_a_class(self, network):
        @network.run
        async def _():
            assert (await (await network.connect("ada")).join("#tea")).name == "#tea"
            with pytest.raises(quicchat.AuthError):
                await network.connect("eve")
