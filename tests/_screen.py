"""A terminal whose screen is read as a person would: what stands where, not what was written."""

import fcntl
import struct
import sys
import termios
import time

import pyte
from _support import ACCOUNTS, Terminal, scaled

HISTORY = 5000  # lines that have left the screen
PATIENCE = scaled(30.0)  # in seconds


class _Emulator(pyte.HistoryScreen):
    """Answers what programs ask a terminal, and counts bells."""

    def __init__(self, columns, rows, answer):
        super().__init__(columns, rows, history=HISTORY, ratio=0.5)
        self.answer = answer
        self.bells = 0

    def write_process_input(self, data):
        self.answer(data)

    def bell(self, *_):
        self.bells += 1

    # prompt_toolkit asks whether the terminal knows these; pyte takes no private answers.
    def report_device_status(self, mode, **kwargs):
        if not kwargs.get("private"):
            super().report_device_status(mode)


class ScreenTerminal(Terminal):
    """A program on a terminal that can do all that modern ones can."""

    def __init__(self, case, arguments, *, columns=80, rows=24, **env):
        self.emulator = _Emulator(columns, rows, self.type)
        self._stream = pyte.Stream(self.emulator)
        super().__init__(case, arguments, **{"TERM": "xterm-256color", "NO_COLOR": "", **env})
        self.resize(columns, rows)

    def resize(self, columns, rows):
        """As if a person drags the window's corner: lines are broken anew, as most terminals do."""
        lines, at, offset = self._unbroken()
        self.emulator.resize(rows, columns)
        broken = []
        for number, line in enumerate(lines):
            if number == at:
                y, x = len(broken) + offset // columns, offset % columns
            broken += [line[n:n + columns] for n in range(0, len(line), columns)] or [""]
        gone = max(0, len(broken) - rows)
        self._stream.feed("\x1b[H\x1b[2J" + "\r\n".join(broken[gone:])
                          + f"\x1b[{max(0, y - gone) + 1};{x + 1}H")
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _unbroken(self):
        """The lines on the screen; the one with the cursor, and where in it that is."""
        lines, at, offset, is_full = [], 0, 0, False
        cursor = self.emulator.cursor
        for y, row in enumerate(self.emulator.display):
            text = row.rstrip()
            if not is_full:
                lines.append("")
            if y == cursor.y:
                at, offset = len(lines) - 1, len(lines[-1]) + cursor.x
            lines[-1] += text
            is_full = len(text) == self.emulator.columns
        while len(lines) > at + 1 and not lines[-1]:
            lines.pop()
        return lines, at, offset

    def _read(self, timeout):
        before = len(self.seen)
        going_on = super()._read(timeout)
        self._stream.feed(self.seen[before:])
        return going_on

    def lines(self):
        """What is on the screen, without what has left it."""
        return [line.rstrip() for line in self.emulator.display]

    def all_lines(self):
        """What has left the screen above, and what is on it."""
        above = ["".join(row[x].data for x in range(self.emulator.columns)).rstrip()
                 for row in self.emulator.history.top]
        return above + self.lines()

    def wait_for(self, holds, what):
        """Reads until something is true of the screen."""
        deadline = time.monotonic() + PATIENCE
        while not (found := holds()):
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"never: {what}; the screen:\n" + "\n".join(self.all_lines()))
        return found

    def see(self, text, times=1):
        """Waits until that stands somewhere, on the screen or above."""
        self.wait_for(lambda: "\n".join(self.all_lines()).count(text) >= times, repr(text))

    def see_prompt(self, text):
        """Waits until the line that is typed is that, with the prompt before it."""
        self.wait_for(lambda: self.lines()[self.emulator.cursor.y] == text.rstrip(),
                      f"the line {text!r}")

    def status(self):
        """The last line of the screen that is not empty."""
        return next((line for line in reversed(self.lines()) if line), "")

    def has_status_of(self, columns):
        """Whether the line at the bottom was drawn for that many columns."""
        return any(row[columns - 1].reverse and not row[columns].reverse
                   for row in self.emulator.buffer.values())

    def see_status(self, *texts):
        self.wait_for(lambda: all(text in self.status() for text in texts), f"status {texts}")


def open_chat(case, server, name, *arguments, **options):
    """Somebody who has logged in at a terminal."""
    screen = ScreenTerminal(case, [sys.executable, "-m", "quicchat", "chat", "--port",
                                   str(server.port), "--user", name, *arguments], **options)
    screen.see("Enter Password:")
    screen.type(ACCOUNTS[name] + "\n")
    screen.see("connected to")
    return screen
