"""Keeps a room in order: makes it if need be, greets who comes, and takes links away.

    python3 room_keeper.py --config config.json "#tea"

It takes the server and the account from the server's own configuration. Ctrl-C ends it; it goes on
where it was when it is started again.
"""

import argparse
import asyncio
import sys
from datetime import timedelta

try:
    import quicchat
    from quicchat import MemberJoined, Message, RequestError, Role
except ImportError as error:
    sys.exit(f"room_keeper.py: cannot import quicchat ({error})\n"
             "  fix: sh examples/quickstart.sh, or 'pip install .' in the folder with README.md")


async def keep(chat: quicchat.Chat, name: str) -> None:
    try:
        await chat.create_room(name, topic="anything but links")
    except RequestError as error:
        if error.name != "room_exists":
            raise
    room = await chat.join(name, last=100)
    print(quicchat.clean_line(f"keeping {room.name}: {room.topic}"), flush=True)
    async for event in chat:
        match event:
            case MemberJoined(user=user):
                await room.send(f"Hello {user}! This room is about {room.topic}.")
            case Message(sender=sender, text=text, deleted=False) if "http" in text:
                try:
                    await room.delete(event, "no links here, please")
                    await room.mute(sender, "links", until=timedelta(minutes=1))
                except RequestError as error:  # an owner's message, or the room is another one's
                    print(quicchat.explain(error, "cannot mend it"), file=sys.stderr, flush=True)
            case quicchat.RoleChanged(user=user, role=Role.MUTED, until=until):
                print(f"{quicchat.clean_line(user)} is muted until {until}", flush=True)
            case Message() | quicchat.Edited() | quicchat.Deleted():
                room.mark_read()


async def run(config: quicchat.ServerConfig, port: int, name: str) -> None:
    account = config.accounts[0]
    async with quicchat.connect(config.host, port, user=account.username,
                                password=account.password) as chat:
        await keep(chat, name)


def main() -> int:
    parser = argparse.ArgumentParser(description="Keep a room in order.")
    parser.add_argument("--config", default="config.json", help="the server's configuration")
    parser.add_argument("--port", type=int, help="another port than the configured one")
    parser.add_argument("room", nargs="?", default="#tea")
    options = parser.parse_args()
    try:
        config = quicchat.load_config(options.config)
        asyncio.run(run(config, options.port or config.port, options.room))
    except quicchat.QuicChatError as error:
        print(quicchat.explain(error), file=sys.stderr)
        return quicchat.exit_status(error)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
