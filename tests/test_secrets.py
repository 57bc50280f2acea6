"""Passwords and private keys are in no repr, no exception and no traceback; paths are bytes."""

import dataclasses
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
import traceback
import unittest
from pathlib import Path

from _support import ITERATIONS, PATIENCE, Case, environment, quicchat

MARK = "s3cr3t-mark"
#: Values that no parameter of the core takes, or not every one.
WRONG = (object(), 7, -1, 1.5, None, True, b"\xff", "\udcff", [7], [object()], {}, {"x": object()})
SECRET = ("password", "verifier", "key_pem", "accounts", "pem", "attributes", "text", "state")
NAMES_OF_SECRETS = {"password", "verifier", "key_pem", "token", "secret"}


def parameters_of(function):
    """Names of the parameters, from the signature in the documentation."""
    signature = (function.__doc__ or "").partition("(")[2].partition(") ->")[0]
    found = []
    depth = 0
    for part in signature.split(","):
        if depth == 0 and ":" in part:
            found.append(part.partition(":")[0].strip())
        depth += part.count("[") - part.count("]")
    return [name for name in found if name != "self"]


class Exceptions(Case):
    def wrong_calls(self):
        """Each function of the core with marked secrets and one thing that is wrong."""
        core = quicchat._core
        functions = [(name, value) for name, value in vars(core).items()
                     if inspect.isbuiltin(value)]
        for kind in (core.Client, core.Server, core.Accounts, core.Probe):
            functions += [(f"{kind.__name__}.{name}", value) for name, value in vars(kind).items()
                          if callable(value) and not name.startswith("_pybind")]
        self.assertGreater(len(functions), 40)
        for name, function in functions:
            if name in ("shutdown", "error_table"):
                continue
            names = parameters_of(function)
            bound = [object()] if "." in name else []
            for odd in names or [None]:
                for wrong in WRONG:
                    lists = {"accounts": [("ada", MARK, MARK, MARK.encode())],
                             "tickets": ([MARK], "x", [])}
                    given = {each: lists.get(each, MARK if each in SECRET else "x")
                             for each in names}
                    given[odd or "unknown"] = wrong
                    yield name, function, bound, given
            yield name, function, [*bound, MARK, MARK.encode(), [MARK], {MARK: MARK}], {}

    def test_of_the_core(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)  # some calls make files
        calls = 0
        for name, function, bound, given in self.wrong_calls():
            try:
                if name.endswith(".__init__"):
                    kind = getattr(quicchat._core, name.partition(".")[0])
                    kind(*bound[1:], **given)
                else:
                    function(*bound, **given)
            except Exception as error:
                calls += 1
                shown = "".join(traceback.format_exception(error)) + repr(error)
                self.assertNotIn(MARK, shown, name)
        self.assertGreater(calls, 500)

    def test_of_a_server_and_its_accounts(self):
        certificate, key = quicchat._core.make_self_signed(["localhost"], 1)
        accounts = quicchat._core.Accounts(os.fsencode(self.folder / "a.db"))
        for call in (lambda: accounts.add("ada", MARK), lambda: accounts.add(MARK.encode(), 7),
                     lambda: accounts.replace_verifier("ada", [MARK]),
                     lambda: quicchat._core.check_pair(certificate, [key, MARK]),
                     lambda: quicchat._core.check_verifier(MARK),
                     lambda: quicchat._core.verifier(MARK, b"short", ITERATIONS)):
            with self.assertRaises(Exception) as caught:
                call()
            shown = "".join(traceback.format_exception(caught.exception))
            self.assertNotIn(MARK, shown)
            self.assertNotIn("PRIVATE", shown)

    def test_of_a_server_that_runs(self):
        async def scenario(connect, server):
            core = server._core
            async with connect() as chat:
                client = chat._conversation.core
                for call in (
                        lambda: core.reload(key_pem=MARK, accounts=[("ada", MARK, MARK, b"")]),
                        lambda: core.reload(
                            certificate_pem="x", key_pem=MARK, iterations=ITERATIONS,
                            accounts=[("ada", MARK, "", b"short")], rooms=[7], operators=[],
                            anybody_makes_rooms=True, limits={}),
                        lambda: core.reload(
                            certificate_pem="x", key_pem=MARK, iterations=ITERATIONS,
                            accounts=[("ada", MARK, "", bytes(16))], rooms=[], operators=[],
                            anybody_makes_rooms=True, limits={}),
                        lambda: core.answer(7, "account", 7, MARK),
                        lambda: core.answer(7, "account", "ada", MARK),
                        lambda: core.answer_check(7, None, MARK, MARK),
                        lambda: client.publish(1, "#lobby", MARK, MARK, b"short", (0, 0, "", 0, 0)),
                        lambda: client.tell(1, None, MARK, MARK, None)):
                    with self.assertRaises(Exception) as caught:
                        call()
                    self.assertNotIn(MARK, "".join(traceback.format_exception(caught.exception)))

        self.talk(scenario)

    def test_a_configuration_by_hand_is_checked(self):
        good = {"host": "127.0.0.1", "port": 0, "certfile": Path("a.crt"),
                "keyfile": Path("a.key"), "accounts": (quicchat.Account("ada", MARK),)}
        for change in ({"rooms": ("#lobby", 7)}, {"rooms": "#lobby"}, {"iterations": 4096},
                       {"host": None}, {"port": "1"}, {"certfile": "a.crt"},
                       {"accounts": (("ada", MARK),)}):
            with self.assertRaises(quicchat.ConfigError, msg=str(change)) as caught:
                quicchat.ServerConfig(**{**good, **change})
            self.assertNotIn(MARK, "".join(traceback.format_exception(caught.exception)))
        self.assertNotIn(MARK, repr(quicchat.ServerConfig(**good)))


class Reprs(unittest.TestCase):
    def test_no_dataclass_shows_a_secret(self):
        fields = 0
        for found in pkgutil.walk_packages(quicchat.__path__, "quicchat."):
            if found.name.endswith(("__main__", "_core")):
                continue
            for kind in vars(importlib.import_module(found.name)).values():
                own_repr = "__repr__" in vars(kind) and not hasattr(
                    vars(kind)["__repr__"], "__wrapped__") if inspect.isclass(kind) else True
                if own_repr or not dataclasses.is_dataclass(kind):
                    continue
                for field in dataclasses.fields(kind):
                    if field.name in NAMES_OF_SECRETS:
                        fields += 1
                        self.assertFalse(field.repr, f"{found.name}.{kind.__name__}.{field.name}")
        self.assertGreater(fields, 4)
        self.assertNotIn(MARK, repr(quicchat.certificates.CertificatePair(MARK, MARK, "sha256:")))


class Paths(Case):
    """Folders that are not UTF-8, or that the locale does not know, are as good as others."""

    def serve_and_talk(self, folder, **env):
        """A server that keeps everything in this folder, and a client with its state there."""
        os.mkdir(folder)
        config = self.write_config()
        with open(os.path.join(folder, b"config.json"), "wb") as copy:
            copy.write(config.read_bytes())
        result = self.python_in(folder, """
import asyncio, os, quicchat
async def main():
    async with quicchat.serve("config.json") as server:
        folder = os.getcwd()
        async with quicchat.connect("127.0.0.1", server.address[1], user="ada",
                                    password="correct horse", state=folder + "/ada.state") as chat:
            room = await chat.join("#lobby")
            await room.send("hello")
            await room.send_file(b"bytes", name="plan.txt")
asyncio.run(main())
quicchat._core.Accounts(os.fsencode(os.path.abspath("quicchat.db"))).list_accounts()
""", **env)
        self.assertEqual(result.returncode, 0, result.stderr)
        names = os.listdir(folder)
        for name in (b"quicchat.db", b"quicchat.files", b"ada.state", b"server.key"):
            self.assertIn(name, names)

    def python_in(self, folder, code, **env):
        return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True,
                              timeout=PATIENCE, env=environment(**env))

    def test_latin_1(self):
        self.serve_and_talk(os.fsencode(self.folder) + b"/stra\xdfe")

    def test_utf_8_where_the_locale_is_ascii(self):
        self.serve_and_talk(os.fsencode(self.folder) + "/straße".encode(), LC_ALL="POSIX",
                            PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")


if __name__ == "__main__":
    unittest.main()
