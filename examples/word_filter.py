"""A server that looks at every message before it is stored: it refuses links and masks words.

    python3 word_filter.py --config config.json damn blast

Nobody sees what the function refuses; who sent it is told why. Ctrl-C stops the server.
"""

import argparse
import asyncio
import re
import sys

try:
    import quicchat
except ImportError as error:
    sys.exit(f"word_filter.py: cannot import quicchat ({error})\n"
             "  fix: sh examples/quickstart.sh, or 'pip install .' in the folder with README.md")


async def run(config: quicchat.ServerConfig, words: list[str]) -> None:
    bad = re.compile("|".join(map(re.escape, words)) or "(?!)", re.IGNORECASE)

    async def check(question: quicchat.MessageQuestion) -> bool | str | quicchat.Refuse:
        # It may take its time, and ask others: what one client sends stays in order anyway.
        if "http" in question.text:
            return quicchat.Refuse("no links here, please")
        return bad.sub(lambda found: "*" * len(found[0]), question.text)

    async with quicchat.serve(config, check=check, check_timeout=2) as server:
        print(f"listening on port {server.address[1]}", flush=True)
        async for event in server:
            if isinstance(event, quicchat.CheckFailed):
                print(quicchat.clean_line(f"{event.user}: {event.text}"), file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description="A chat server that looks at messages first.")
    parser.add_argument("--config", default="config.json", help="the server's configuration")
    parser.add_argument("words", nargs="*", help="to be masked")
    options = parser.parse_args()
    try:
        asyncio.run(run(quicchat.load_config(options.config), options.words))
    except quicchat.QuicChatError as error:
        print(quicchat.explain(error), file=sys.stderr)
        return quicchat.exit_status(error)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
