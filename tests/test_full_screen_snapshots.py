"""The text of the full screen in some states, compared with tests/vectors/full_screen. With
QUICCHAT_RENEW=1 the files there are written anew; look at them before you commit them."""

import os
import re
import unittest

from _full import FullCase
from _support import ROOT

FOLDER = ROOT / "tests" / "vectors" / "full_screen"


def comparable(lines):
    """Without what is another one each time: times and ports."""
    text = "\n".join(lines)
    port = re.search(r"127\.0\.0\.1:(\d+)", text)
    if port:
        text = text.replace(port[1], "P" * len(port[1]))
    return re.sub(r"\b\d\d:\d\d\b", "hh:mm", text) + "\n"


class Snapshots(FullCase):
    maxDiff = None

    async def fill(self, bob):
        await bob.chat.set_display_name("Bob B.")
        await bob.chat.create_room("#garden")
        garden = await bob.chat.join("#garden")
        await garden.invite("ada")
        await garden.send("the roses are out")
        await bob.chat.create_room("#tea", topic="green and black")
        self.tea = await bob.chat.join("#tea")
        for name in ("ada", "eve"):
            await self.tea.invite(name)
        sent = await self.tea.send("How long should it steep? It is a green one that I have never "
                                   "made before.")
        answer = await self.tea.send("Two minutes", reply_to=sent)
        await self.tea.edit(answer, "Three minutes")
        await self.tea.react(answer, "+1")
        await self.tea.send_file(b"x" * 184_320, name="leaves.jpg")
        await self.tea.send("@ada come and see\nit steeps")
        await self.tea.delete(await self.tea.send("bad"), "rude")

    def compare(self, ada, name, *, box=False):
        """What is on the screen; or only what stands over everything else."""
        path = FOLDER / f"{name}_{ada.app.size.width}x{ada.app.size.height}.txt"
        shown = comparable(ada.box() if box else ada.lines())
        if os.environ.get("QUICCHAT_RENEW"):
            FOLDER.mkdir(exist_ok=True)
            path.write_text(shown)
        self.assertEqual(shown, path.read_text())

    async def scenario(self, ada, bob):
        await ada.see_room("3 #tea +4 1@")
        await ada.press("alt+3")
        await ada.see("(deleted: rude)")
        if ada.app.size.width >= 100:
            await ada.see("eve")
        await ada.see_room("3 #tea")
        await ada.settle()
        self.compare(ada, "room")
        await ada.press("escape", "up", "up")
        await ada.settle()
        self.compare(ada, "chosen")
        await ada.press("escape", "/", "u", "n", "tab")
        await ada.settle()
        self.compare(ada, "completion")
        await ada.press("f1")
        await ada.settle()
        self.compare(ada, "help", box=True)
        await ada.press("escape")
        await ada.type("/search steep")
        await ada.see("that is all")
        await ada.settle()
        self.compare(ada, "found", box=True)

    def test_at_80_columns(self):
        self.meet(self.scenario, (80, 24), self.fill)

    def test_at_120_columns(self):
        self.meet(self.scenario, (120, 30), self.fill)


if __name__ == "__main__":
    unittest.main()
