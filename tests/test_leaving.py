"""Leaving a room, by several at once and in a hurry: everybody who asks is answered."""

import asyncio
import unittest

from _support import Case, quicchat, scaled


class Leaving(Case):
    def test_all_who_leave_a_room_at_once_are_answered(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                await ada.join("#lobby")
                leaves = [asyncio.create_task(ada.leave(name)) for name in ("#lobby", "#LOBBY")]
                await asyncio.wait_for(asyncio.gather(*leaves), scaled(30))
                with self.assertRaises(quicchat.RequestError) as caught:
                    await asyncio.wait_for(ada.leave("#lobby"), scaled(30))
                self.assertEqual(caught.exception.code, "E-NOT-IN-ROOM")
                await ada.join("#lobby")

        self.talk(scenario)

    def test_a_room_that_is_being_left_can_be_joined_again(self):
        async def scenario(connect, _):
            async with connect("ada") as ada:
                for cancelled in (False, True):
                    await ada.join("#lobby")
                    leave = asyncio.create_task(ada.leave("#lobby"))
                    await asyncio.sleep(0)  # it has begun
                    if cancelled:
                        leave.cancel()
                    room = await asyncio.wait_for(ada.join("#lobby"), scaled(30))
                    await room.send("here again")
                    await ada.leave("#lobby")

        self.talk(scenario)


if __name__ == "__main__":
    unittest.main()
