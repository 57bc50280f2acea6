"""Completion in zsh and fish, as they do it at a terminal; bash is in test_send_and_tail.py."""

import os
import shutil
import sys
import unittest

from _screen import ScreenTerminal
from _support import Case

ZSHRC = """fpath=("$HOME/functions" $fpath)
autoload -U compinit
compinit -u -D
PS1='ready> '
"""
CTRL_U = "\x15"


class Shell(Case):
    def setUp(self):
        super().setUp()
        program = self.folder / "bin" / "quicchat"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m quicchat "$@"\n')
        program.chmod(0o755)
        (self.folder / "plan.pdf").touch()

    def put(self, path, text):
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def script(self, shell):
        result = self.command("completion", shell)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode()

    def open(self, *arguments):
        self.screen = ScreenTerminal(
            self, [shutil.which(arguments[0]), *arguments[1:]], columns=120, HOME=str(self.folder),
            ZDOTDIR=str(self.folder), PATH=f"{self.folder}/bin:{os.environ['PATH']}",
            XDG_CONFIG_HOME=f"{self.folder}/config", XDG_DATA_HOME=f"{self.folder}/data")
        self.screen.see("ready>")

    def completes(self, typed, *expected):
        """All of that is on the screen after Tab; then the line is empty again."""
        screen = self.screen
        screen.type(f"quicchat {typed}\t")
        screen.wait_for(lambda: all(text in "\n".join(screen.lines()) for text in expected),
                        f"{expected} for {typed!r}")
        screen.type(CTRL_U)
        screen.wait_for(lambda: screen.lines()[screen.emulator.cursor.y] == "ready>", "a new line")

    def common(self):
        self.completes("doc", "quicchat doctor")
        self.completes("user rem", "quicchat user remove")
        self.completes("user add --datab", "quicchat user add --database")
        self.completes("room exp", "quicchat room export")
        self.completes("completion fi", "quicchat completion fish")
        self.completes("send --password-file pl", "quicchat send --password-file plan.pdf")
        self.completes("serve --log-format js", "quicchat serve --log-format json")
        self.completes("chat --no-s", "quicchat chat --no-save")


@unittest.skipUnless(shutil.which("zsh"), "no zsh (Debian: zsh)")
class Zsh(Shell):
    def test_as_a_function_of_the_path(self):
        self.put("functions/_quicchat", self.script("zsh"))
        self.put(".zshrc", ZSHRC)
        self.open("zsh", "-i")
        self.common()
        self.completes("user ", "add", "remove", "list")

    def test_as_a_file_that_is_read(self):
        self.put("quicchat.zsh", self.script("zsh"))
        self.put(".zshrc", ZSHRC + "source ~/quicchat.zsh\n")
        self.open("zsh", "-i")
        self.completes("doc", "quicchat doctor")


@unittest.skipUnless(shutil.which("fish"), "no fish (Debian: fish)")
class Fish(Shell):
    def test_as_a_file_of_its_folder(self):
        self.put("config/fish/completions/quicchat.fish", self.script("fish"))
        self.put("config/fish/config.fish",
                 "function fish_prompt; echo 'ready> '; end\nset -U fish_greeting\n"
                 "set -g fish_autosuggestion_enabled 0\n")
        self.open("fish", "-i")
        self.common()
        self.completes("user ", "add", "remove", "list")


if __name__ == "__main__":
    unittest.main()
