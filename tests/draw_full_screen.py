"""Draws examples/full_screen.svg, the picture of the README: python3 tests/draw_full_screen.py"""

import re
import unittest

from _full import FullCase
from _support import EXAMPLES


class Picture(FullCase):
    def test_draw(self):
        async def before(bob):
            await bob.chat.set_display_name("Bob B.")
            await bob.chat.create_room("#garden", topic="")
            garden = await bob.chat.join("#garden")
            await garden.invite("ada")
            for text in ("the roses are out", "and the cat sleeps in them"):
                await garden.send(text)
            await bob.chat.create_room("#tea", topic="green, black and everything between")
            self.tea = await bob.chat.join("#tea")
            await self.tea.invite("ada")
            await self.tea.invite("eve")
            await self.tea.send("Good morning! The first flush has come in.")

        async def scenario(ada, bob):
            await ada.see_room("3 #tea.*")
            await ada.press("alt+3")
            await ada.see("first flush")
            await ada.type("How long should it steep?")
            question = (await self.tea.history(limit=1)).messages
            while not question or question[-1].sender != "ada":
                question = (await self.tea.history(limit=1)).messages
            answer = await self.tea.send("Two minutes at 80 °C, then taste it.",
                                         reply_to=question[-1])
            await self.tea.edit(answer, "Two minutes at 75 °C, then taste it.")
            await self.tea.react(question[-1], "🍵")
            await self.tea.send_file(b"x" * 184_320, name="leaves.jpg")
            await ada.type("/react #5 👍")
            await ada.see("leaves.jpg", "👍")
            await self.tea.react(answer, "👍")
            await bob.chat.send("#garden", "@ada come and see")
            await self.tea.set_role("eve", 4)
            await ada.type("/me puts the kettle on")
            await ada.see("kettle")
            await ada.see_room("2 #garden.*@")
            ada.app.entry.begin("I shall try it with the ")
            await ada.settle()
            # What it would fetch from elsewhere is left out.
            drawn = re.sub(r"@font-face \{.*?\}\s*", "", ada.app.export_screenshot(), flags=re.S)
            (EXAMPLES / "full_screen.svg").write_text(drawn)

        self.meet(scenario, (104, 28), before)


if __name__ == "__main__":
    unittest.main()
