"""A chat server and a page for it in one program: what is said by QUIC is in the page, and back.

    python3 web_chat.py --config config.json --web 8080

Open http://127.0.0.1:8080/ and say a name. The program speaks for the people of the page without
logging in to its own server; the page gets the room by Server-Sent Events, and goes on where it was
after a pause. Ctrl-C or SIGTERM ends it.

The names of the page prove nothing: a site puts its own sessions here. So it listens on this
computer only. Python's own library is enough for it; a site will have a framework.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import signal
import sys
from collections.abc import Coroutine
from http.cookies import SimpleCookie

try:
    import quicchat
except ImportError as error:
    sys.exit(f"web_chat.py: cannot import quicchat ({error})\n"
             "  fix: sh examples/quickstart.sh, or 'pip install .' in the folder with README.md")

PAGE = """<!doctype html><meta charset="utf-8"><title>chat</title>
<form id="login"><input name="user" placeholder="your name"><button>come in</button></form>
<form id="say" hidden><input name="text" size="60"><button>say</button></form><pre id="log"></pre>
<script>
const post = (path, what) => fetch(path, {method: "POST", body: JSON.stringify(what),
                                          headers: {"Content-Type": "application/json"}});
const log = (line) => { document.getElementById("log").prepend(line + "\\n"); };
document.getElementById("login").onsubmit = async (event) => {
  event.preventDefault();
  const answer = await post("/login", {user: event.target.user.value});
  if (!answer.ok) return log(await answer.text());
  event.target.hidden = true; document.getElementById("say").hidden = false;
  new EventSource("/events").onmessage = (event) => {
    const record = JSON.parse(event.data);
    if (record.type === "message") log(`<${record.sender}> ${record.text}`);
  };
};
document.getElementById("say").onsubmit = async (event) => {
  event.preventDefault();
  const answer = await post("/say", {text: event.target.text.value});
  if (!answer.ok) return log(await answer.text());
  event.target.reset();
};
</script>"""

BODY_MAX = 16 * 1024
SESSIONS_MAX = 10_000
PAUSE_MAX = 20  # seconds without a word to a page: one that is not there any more is found out


class Web:
    """Requests of browsers, for one room of a server."""

    def __init__(self, server: quicchat.Server, room: str) -> None:
        self.server = server
        self.room = room
        self.sessions: dict[str, str] = {}  # user names, by what their cookies say
        self.pages: set[asyncio.Task[None]] = set()  # what is under way

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self.serve(reader, writer))
        self.pages.add(task)
        task.add_done_callback(self.pages.discard)

    async def end(self) -> None:
        """Of all pages. They come back by themselves when there is a server again."""
        for task in self.pages:
            task.cancel()
        await asyncio.gather(*self.pages, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError,
                                     asyncio.LimitOverrunError, TimeoutError):
                async with asyncio.timeout(10):
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                    method, path, _ = head[0].split(" ")
                    fields = {name.strip().lower(): value.strip() for name, _, value in
                              (line.partition(":") for line in head[1:])}
                    body = await reader.readexactly(
                        min(int(fields.get("content-length", 0)), BODY_MAX))
                await self.answer(f"{method} {path}", fields, body, reader, writer)
        finally:
            writer.close()

    async def answer(self, what: str, fields: dict[str, str], body: bytes,
                     reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cookie = SimpleCookie(fields.get("cookie", "")).get("session")
        user = self.sessions.get(cookie.value) if cookie else None
        # A page of another site cannot send this type without being asked for.
        is_ours = fields.get("content-type") == "application/json"
        try:
            if what == "GET /":
                say(writer, "200 OK", PAGE, "text/html; charset=utf-8")
            elif what == "POST /login" and is_ours and len(self.sessions) < SESSIONS_MAX:
                user = str(json.loads(body)["user"])
                await self.server.rooms_of(user)  # whatever else a site asks of a name
                session = secrets.token_urlsafe(16)
                self.sessions[session] = user
                say(writer, "200 OK", "{}", "application/json",
                    f"Set-Cookie: session={session}; HttpOnly; SameSite=Strict")
            elif user is None:
                say(writer, "403 Forbidden", "log in first")
            elif what == "POST /say" and is_ours:
                receipt = await self.server.send(self.room, str(json.loads(body)["text"]),
                                                 user=user)
                say(writer, "200 OK", receipt.to_json(), "application/json")
            elif what == "GET /events":
                await until_gone(
                    reader, self.follow(user, fields.get("last-event-id", ""), writer))
            else:
                say(writer, "404 Not Found", "there is nothing here")
        except quicchat.QuicChatError as error:
            say(writer, "400 Bad Request", str(error))
        except (ValueError, KeyError, TypeError):
            say(writer, "400 Bad Request", "that is not what is asked for")
        await writer.drain()

    async def follow(self, user: str, last: str, writer: asyncio.StreamWriter) -> None:
        """Everything that is stored in the room, from now on or behind what the page has had."""
        room = self.server.room(self.room, user=user)
        page = await room.history(limit=1)  # also says whether the user may read it
        epoch, _, offset = last.partition(".")
        goes_on = epoch == str(page.epoch) and offset.isdecimal()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Cache-Control: no-store\r\n\r\n")
        records = room.records(after=int(offset) if goes_on else None)
        while True:
            try:
                async with asyncio.timeout(PAUSE_MAX):
                    record = await anext(records, None)
            except TimeoutError:
                writer.write(b":\n\n")  # a comment
            else:
                if record is None:
                    return
                if not isinstance(record, quicchat.Gap):
                    writer.write(f"id: {record.epoch}.{record.offset}\n".encode())
                writer.write(f"data: {record.to_json()}\n\n".encode())
            await writer.drain()  # a slow page holds up itself alone: the room waits in its log


async def until_gone(reader: asyncio.StreamReader, answer: Coroutine[None, None, None]) -> None:
    """Answers a page as long as it is there."""
    async def read_on() -> None:
        with contextlib.suppress(OSError):
            while await reader.read(1024):
                pass  # one request is all that we want

    answering, gone = asyncio.ensure_future(answer), asyncio.ensure_future(read_on())
    try:
        await asyncio.wait((answering, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        answering.cancel()
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering


def say(writer: asyncio.StreamWriter, status: str, text: str, kind: str = "text/plain",
        more: str = "X-Content-Type-Options: nosniff") -> None:
    body = text.encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                 f"Connection: close\r\n{more}\r\n\r\n".encode() + body)


async def run(config: quicchat.ServerConfig, port: int, room: str) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with quicchat.serve(config) as server:
        pages = Web(server, room)
        web = await asyncio.start_server(pages.accept, "127.0.0.1", port)
        number = web.sockets[0].getsockname()[1]
        print(f"listening on port {server.address[1]}, page on http://127.0.0.1:{number}/",
              flush=True)
        await stopped.wait()
        web.close()
        await pages.end()


def main() -> int:
    parser = argparse.ArgumentParser(description="A chat server with a page.")
    parser.add_argument("--config", default="config.json", help="the server's configuration")
    parser.add_argument("--web", type=int, default=8080, help="the page's port; 0: any")
    parser.add_argument("--room", default="#lobby", help="what the page shows")
    options = parser.parse_args()
    try:
        asyncio.run(run(quicchat.load_config(options.config), options.web, options.room))
    except quicchat.QuicChatError as error:
        print(quicchat.explain(error), file=sys.stderr)
        return quicchat.exit_status(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
