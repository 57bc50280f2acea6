"""The chat page in Chromium: logins by ticket, roles that are given in it, files that are dropped
on it."""

import asyncio
import os
import re
import unittest

from _browser import Browser, Error, Relay
from _support import next_of, quicchat

KEY = "a-key-of-the-site-for-tickets-alone-0123456789"
AUDIENCE = "chat.example.org"


def make_ticket(user="ada", **more):
    return quicchat.make_ticket(user, KEY, AUDIENCE, expires=300, **more)


class Tickets(Browser):
    def changes(self):
        (self.folder / "ticket.keys").write_text(KEY + "\n")
        (self.folder / "ticket.keys").chmod(0o600)
        return {"web": {"origins": ["https://www.example.org"],
                        "tickets": {"keys": "ticket.keys", "audience": AUDIENCE}}}

    async def until(self, page, selector):
        """A browser gives a busy server four seconds: the ticket is good for another attempt."""
        for _ in range(10):
            try:
                await page.wait_for_selector(f"{selector}, #again:visible")
            except Error as error:
                raise AssertionError(f"{error}\nthe page at {page.url} says:\n"
                                     f"{await page.locator('body').aria_snapshot()}\n"
                                     f"the server says:\n{self.server.log()}") from None
            if not await page.is_visible("#again"):
                return
            self.assertIn("cannot be reached", await page.inner_text("#login-error"))
            await page.click("#again")
        raise AssertionError("the server cannot be reached")

    async def until_in(self, page):
        await self.until(page, "#member-list li")

    def test_one_in_the_address_logs_in_once_and_is_taken_out_of_it(self):
        async def scenario(open_page, native):
            ticket = make_ticket(origin=self.server.url.rstrip("/"))
            page = await open_page(at=f"#ticket={ticket}&room=%23lobby")
            await self.until_in(page)
            self.assertEqual(await page.inner_text("#state"), "online as ada")
            self.assertNotIn("ticket", page.url)
            async with native() as bob:
                room = await bob.join("#lobby")
                await self.say(page, "by ticket")
                heard = await next_of(room, quicchat.events.Message)
                self.assertEqual((heard.sender, heard.text), ("ada", "by ticket"))
            # The page asks for no other one: none is there.
            self.server.kill()
            await asyncio.to_thread(self.server.start)
            await page.wait_for_selector('#login-error:has-text("good for one login")')
            self.assertTrue(await page.is_visible("#login"))
            self.assertFalse(await page.is_visible("#again"))
            # What was used once is refused, by the server that was started anew as well.
            await page.goto(f"{self.server.url}#ticket={ticket}")
            await self.until(page, '#login-error:has-text("does not take this ticket")')
            self.assertNotIn("ticket", page.url)
            # Another link of the site leads to the page that is open.
            await page.evaluate("to => { location.hash = to; }", f"#ticket={make_ticket('eve')}")
            await self.until_in(page)
            self.assertEqual(await page.inner_text("#state"), "online as eve")
            self.assertNotIn("ticket", page.url)

        self.browse(scenario)

    def test_one_that_no_server_has_seen_is_good_for_another_attempt(self):
        relay = Relay(self.server.port)
        self.addCleanup(relay.close)
        self.relay_port = relay.port

        async def scenario(open_page, native):
            relay.is_cut = True
            page = await open_page()
            await page.check("#remember")  # then it is read before it is used
            await page.evaluate("to => { location.hash = to; }", f"#ticket={make_ticket()}")
            await page.wait_for_selector("#again:visible")
            self.assertIn("cannot be reached", await page.inner_text("#login-error"))
            relay.is_cut = False
            await page.click("#again")
            await self.until_in(page)
            await page.wait_for_selector('#kept:has-text("are kept")')

        self.browse(scenario)

    def test_a_site_gives_one_for_each_connection(self):
        given = []

        async def give(route):
            self.assertEqual(route.request.method, "POST")
            given.append(make_ticket())
            await route.fulfill(body=given[-1] + "\n", content_type="text/plain")

        async def told(route):
            answer = await route.fetch()
            await route.fulfill(response=answer, json={**await answer.json(), "tickets": "ticket"})

        async def scenario(open_page, _):
            async def prepare(page):
                await page.route("**/quicchat.json", told)
                await page.route("**/ticket", give)

            page = await open_page(prepare=prepare)
            await self.until_in(page)
            self.assertFalse(await page.is_visible("#login"))
            before = len(given)
            self.server.kill()
            await asyncio.to_thread(self.server.start)
            await self.say(page, "still here")
            await page.wait_for_selector("article >> text=still here")
            self.assertGreater(len(given), before)

        self.browse(scenario)


class Rooms(Browser):
    def test_owners_give_roles_and_moderators_those_below_them(self):
        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
            await page.fill("#enter input", "tea")
            await page.press("#enter input", "Enter")
            await page.wait_for_selector('#room-name:has-text("#tea")')
            role_of_bob = page.get_by_label("Role of bob")
            async with native() as bob:
                room = await bob.join("#tea")
                await role_of_bob.wait_for()
                self.assertEqual(await page.get_by_label("Role of ada").count(), 0)
                await role_of_bob.select_option("moderator")
                found = await next_of(room, quicchat.events.RoleChanged, user="bob")
                self.assertEqual(found.role, quicchat.Role.MODERATOR)
                await page.wait_for_selector("#member-list small:has-text('moderator')")
                # An invitation, for somebody who is not here.
                await page.fill("#invite input", "eve")
                await page.press("#invite input", "Enter")
                found = await next_of(room, quicchat.events.RoleChanged, user="eve")
                self.assertEqual(found.role, quicchat.Role.MEMBER)
                await page.get_by_label("Role of eve").wait_for()
                # What others do about roles is seen, and what is not ours to do is not offered.
                await page.get_by_label("Role of eve").select_option("banned")
                found = await next_of(room, quicchat.events.RoleChanged, user="eve")
                self.assertEqual(found.role, quicchat.Role.BANNED)
                await role_of_bob.select_option("owner")
                await next_of(room, quicchat.events.RoleChanged, user="bob")
                await room.set_role("ada", quicchat.Role.MODERATOR)
                await role_of_bob.wait_for(state="detached")
                options = await page.get_by_label("Role of eve").inner_text()
                self.assertEqual(re.findall(r"\w[\w ]*", options),
                                 ["member", "muted", "banned", "no role"])
                await room.set_role("ada", quicchat.Role.MEMBER)
                await page.wait_for_selector("#invite", state="hidden")
                self.assertEqual(await page.locator("#member-list select").count(), 0)

        self.browse(scenario)

    def test_files_are_dropped_on_the_page(self):
        content = os.urandom(100_000)

        async def scenario(open_page, native):
            page = await open_page()
            await self.log_in(page)
            async with native() as bob:
                room = await bob.join("#lobby")
                dropped = await page.evaluate_handle(
                    """bytes => {
                        const data = new DataTransfer();
                        data.items.add(new File([new Uint8Array(bytes)], 'dropped.bin'));
                        return data;
                    }""", list(content))
                await page.dispatch_event("#log", "dragenter", {"dataTransfer": dropped})
                await page.wait_for_selector("#log.drop")
                await page.dispatch_event("#log", "drop", {"dataTransfer": dropped})
                await page.wait_for_selector("#log:not(.drop)")
                sent = await next_of(room, quicchat.events.Message)
                self.assertEqual((sent.text, sent.file.size), ("dropped.bin", len(content)))
                self.assertEqual(await room.read_file(sent), content)
                await page.wait_for_selector("article button >> text=dropped.bin")

        self.browse(scenario)


if __name__ == "__main__":
    unittest.main()
