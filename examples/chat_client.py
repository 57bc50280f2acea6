"""Chat in a terminal: python3 chat_client.py --server-ip 127.0.0.1 --port 12345

The same as `quicchat chat`. It asks for user name and password; then each line that is typed goes
to everyone in the room. `@name text` goes to one person, `/who` lists who is here, `/quit` leaves.
"""

import sys

try:
    from quicchat.cli import run
except ImportError as error:
    sys.exit(f"chat_client.py: cannot import quicchat ({error})\n"
             "  fix: sh examples/quickstart.sh, or 'pip install .' in the folder with README.md")

if __name__ == "__main__":
    sys.exit(run("chat", "chat_client.py"))
