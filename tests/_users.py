"""What tests of `quicchat user` share."""

import json

from _support import Case, quicchat


class AccountCase(Case):
    def user(self, *arguments, password=""):
        return self.command("user", *arguments, input=password.encode() + b"\n")

    def users(self):
        result = self.user("list", "--json")
        self.assert_words(result, 0)
        return {entry["username"]: entry for entry in json.loads(result.stdout)}

    def log_in(self, server, name, password):
        with quicchat.sync.connect("127.0.0.1", server.port, user=name, password=password):
            pass
