"""The smallest client: sends one message, and waits until the server has stored it.

    python3 client.py --config config.json "hello from a script"

It takes the server and the account from the server's own configuration.
"""

import argparse
import asyncio
import sys

try:
    import quicchat
except ImportError as error:
    sys.exit(f"client.py: cannot import quicchat ({error})\n"
             "  fix: sh examples/quickstart.sh, or 'pip install .' in the folder with README.md")


async def send(host: str, port: int, user: str, password: str, text: str) -> quicchat.Receipt:
    async with quicchat.connect(host, port, user=user, password=password, events=False) as chat:
        room = await chat.join("#lobby")
        return await room.send(text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Send one message to everyone in #lobby.")
    parser.add_argument("--config", default="config.json", help="the server's configuration")
    parser.add_argument("--port", type=int, help="another port than the configured one")
    parser.add_argument("text", nargs="?", default="hello")
    options = parser.parse_args()
    try:
        config = quicchat.load_config(options.config)
        account = config.accounts[0]
        receipt = asyncio.run(send(config.host, options.port or config.port, account.username,
                                   account.password, options.text))
    except quicchat.QuicChatError as error:
        print(quicchat.explain(error), file=sys.stderr)
        return quicchat.exit_status(error)
    print(f"stored as message {receipt.offset} of the room")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
