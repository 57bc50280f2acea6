"""The chat server: python3 server.py --config config.json

The same as `quicchat serve`. How a server is built into a program of your own:

    async with quicchat.serve("config.json") as server:
        print("listening on", server.address)
        await server.serve_forever()
"""

import sys

try:
    from quicchat.cli import run
except ImportError as error:
    sys.exit(f"server.py: cannot import quicchat ({error})\n"
             "  fix: sh examples/quickstart.sh, or 'pip install .' in the folder with README.md")

if __name__ == "__main__":
    sys.exit(run("serve", "server.py"))
