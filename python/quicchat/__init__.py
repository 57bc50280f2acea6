"""Secure group chat over QUIC.

asyncio::

    async with quicchat.connect("127.0.0.1", 12345, user="ada", password="...") as chat:
        room = await chat.join("#lobby")
        await room.send("hello")
        async for event in chat:
            match event:
                case quicchat.Message(sender=who, text=text):
                    print(who, quicchat.clean_text(text))

Without asyncio: :mod:`quicchat.sync`. A server: :func:`quicchat.serve`. On the command line:
``quicchat --help``.
"""

from __future__ import annotations

import atexit as _atexit

from . import _core, doctor, errors, events, logs, metrics, roles, stats, sync
from ._check import MessageQuestion, Refuse, Replace
from ._people_view import Person
from ._retention import RoomRetention
from ._server_room import ServerRoom
from ._speaking import RoomReport
from ._web_pages import Web
from .bot import Bot, Context
from .client import Chat, Room, connect
from .config import load_config
from .errors import *  # noqa: F403
from .events import *  # noqa: F403
from .limits import Limits
from .qlogs import Qlog
from .reconnecting import Reconnect
from .reloading import Reloaded
from .roles import *  # noqa: F403
from .server import AccountQuestion, Server, serve
from .settings import Account, ServerConfig, Tickets
from .stats import *  # noqa: F403
from .terminal import clean_line, clean_text
from .tickets import make_ticket
from .trust import TLS, InsecureWarning

__version__: str = _core.version

__all__ = [
    "TLS",
    "Account",
    "AccountQuestion",
    "Bot",
    "Chat",
    "Context",
    "InsecureWarning",
    "Limits",
    "MessageQuestion",
    "Person",
    "Qlog",
    "Reconnect",
    "Refuse",
    "Replace",
    "Reloaded",
    "Room",
    "RoomReport",
    "RoomRetention",
    "Server",
    "ServerConfig",
    "ServerRoom",
    "Tickets",
    "Web",
    "clean_line",
    "clean_text",
    "connect",
    "doctor",
    "load_config",
    "logs",
    "make_ticket",
    "metrics",
    "serve",
    "sync",
]
__all__ += errors.__all__
__all__ += events.__all__
__all__ += roles.__all__
__all__ += stats.__all__

# Peers are told that we go, and no thread runs while the interpreter is taken apart.
_atexit.register(_core.shutdown)
