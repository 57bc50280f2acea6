"""A chat server and its clients in memory, for tests of programs that use this package.

::

    from quicchat.testing import Network

    async def test_the_bot_answers():
        async with Network() as net:
            bot = asyncio.create_task(run_bot(await net.connect("dice")))
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            await room.send("!roll")
            assert [e.text for e in await net.received(ada) if isinstance(e, quicchat.Message)] \\
                == ["!roll", "ada rolled 4"]

Nothing of it touches a network or a file: no certificates, no known servers, no passwords. Whoever
says a name is logged in under it. The server and the clients are the real ones, in C++: rooms,
roles, limits, refusals and reconnections are as in a program that runs. A :class:`quicchat.Chat`
that it gives is like any other; :meth:`Network.stands_in` gives it to a program that calls
:func:`quicchat.connect` itself.

**Time** stands still. What needs none happens at once: a message is at everybody's before
``await room.send(...)`` returns. What needs time, such as the next attempt after a lost connection,
a mute that ends, or a rate that allows more, happens when :meth:`Network.advance` moves the clock
of that network. It moves no other clock: ``asyncio.sleep`` and ``asyncio.timeout`` are as ever, so
a program under test that waits by them waits for real. :meth:`Network.sleep` waits by the virtual
clock.

**Coming to rest.** :meth:`Network.settle`, and what calls it, lets the tasks of the event loop run
until none of them does anything with the network any more. A task that waits for something else,
such as a thread or a real socket, is not waited for.

With pytest, ``pytest_plugins = ["quicchat.testing.plugin"]`` in the top ``conftest.py`` gives the
fixture ``network``; see :mod:`quicchat.testing.plugin`. Nothing else here needs pytest.
"""

from __future__ import annotations

from ._network import Network

__all__ = ["Network"]
