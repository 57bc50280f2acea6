"""A bot: rolls dice, remembers what people ask it to, and greets who comes.

    python3 dice_bot.py --config config.json --room "#lobby"

It takes the server and the account from the server's own configuration. Say `!help` to it. Ctrl-C
or SIGTERM ends it.
"""

import argparse
import random
import sys

try:
    import quicchat
except ImportError as error:
    sys.exit(f"dice_bot.py: cannot import quicchat ({error})\n"
             "  fix: sh examples/quickstart.sh, or 'pip install .' in the folder with README.md")


def make_bot(rooms: list[str], dice: random.Random) -> quicchat.Bot:
    """The same in a test, with dice that are known: see tests/test_examples.py."""
    bot = quicchat.Bot(rooms=rooms)
    notes: dict[str, str] = {}

    @bot.command("roll", "r")
    async def roll(context: quicchat.Context, sides: int = 6, times: int = 1) -> None:
        """Rolls dice."""
        if not (2 <= sides <= 1000 and 1 <= times <= 20):
            await context.reply("2 to 1000 sides, 1 to 20 times, please")
            return
        found = [dice.randint(1, sides) for _ in range(times)]
        await context.reply(f"{context.sender} rolled {', '.join(map(str, found))}")

    @bot.command
    async def note(context: quicchat.Context, name: str, *, text: str = "") -> None:
        """Says what a name stands for, or remembers it."""
        if text:
            notes[name] = text
        await context.reply(notes.get(name, f"nobody has told me about {name}"))

    @bot.on(quicchat.MemberJoined)
    async def greet(event: quicchat.MemberJoined) -> None:
        await bot.room(event.room).send(f"Hello {event.user}! Try !help.")

    @bot.on(quicchat.Joined)
    def ready(event: quicchat.Joined) -> None:
        print(quicchat.clean_line(f"at work in {event.room}"), flush=True)

    return bot


def main() -> int:
    parser = argparse.ArgumentParser(description="A bot that rolls dice.")
    parser.add_argument("--config", default="config.json", help="the server's configuration")
    parser.add_argument("--port", type=int, help="another port than the configured one")
    parser.add_argument("--room", action="append", help="where it is at work")
    options = parser.parse_args()
    try:
        config = quicchat.load_config(options.config)
        account = config.accounts[0]
        make_bot(options.room or ["#lobby"], random.SystemRandom()).run(
            config.host, options.port or config.port, user=account.username,
            password=account.password)
    except quicchat.QuicChatError as error:
        print(quicchat.explain(error), file=sys.stderr)
        return quicchat.exit_status(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
