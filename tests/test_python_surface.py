"""What the package looks like: events as JSON, attributes, event loops, and what is public."""

import inspect
import json
import pickle
import sys
import unittest
from unittest import mock

from _in_memory import InMemory
from _support import Case, quicchat


class AsJson(InMemory):
    def test_every_event_says_what_it_is(self):
        async def scenario(net):
            ada, bob = await net.connect("ada"), await net.connect("bob")
            room = await ada.join("#lobby")
            await bob.join("#lobby")
            sent = await room.send("hi", attributes={"n": [1, 2]})
            await room.edit(sent, "hello")
            await room.react(sent, "👋")
            await room.send_file(b"abc", name="a.txt")
            await bob.tell("ada", "psst")
            net.cut(ada)
            events = await net.received(ada)
            for event in events:
                found = json.loads(event.to_json())
                self.assertEqual(found, json.loads(json.dumps(event.to_dict())))
            by_type = {event.to_dict()["type"]: event.to_dict() for event in events}
            self.assertEqual(set(by_type), {"joined", "member_joined", "message", "edited",
                                            "reaction", "private_message", "reconnecting"})
            self.assertEqual(by_type["joined"]["role"], "member")
            self.assertEqual(by_type["joined"]["access"], "everybody")
            self.assertEqual(by_type["message"]["file"]["size"], 3)
            self.assertEqual(by_type["reconnecting"]["cause"]["code"][:2], "E-")
            [message] = [e for e in events if isinstance(e, quicchat.Message) and not e.file]
            self.assertEqual(message.to_dict()["attributes"], {"n": [1, 2]})
            self.assertEqual(message.to_dict()["id"], sent.id.hex())
            page = (await bob.history("#lobby")).to_dict()
            self.assertEqual([record["type"] for record in page["records"]],
                             ["message", "edited", "reaction", "message"])
            members = [person.to_dict() for person in await bob.members("#lobby")]
            self.assertEqual([(m["user"], m["role"]) for m in members],
                             [("ada", "member"), ("bob", "member")])

        self.on(scenario)

    def test_all_kinds_can(self):
        for name in (*quicchat.events.__all__, "RoomInfo"):
            kind = getattr(quicchat, name)
            if isinstance(kind, type) and name not in ("Attributes", "Record"):
                self.assertTrue(callable(getattr(kind, "to_dict", None)), name)

    def test_attributes_are_a_mapping_both_ways(self):
        async def scenario(net):
            ada = await net.connect("ada")
            room = await ada.join("#lobby")
            await room.send("one", attributes={"a": {"b": 1}})
            message = (await net.received(ada))[-1]
            self.assertEqual(message.attributes, {"a": {"b": 1}})
            self.assertEqual(message.attributes["a"]["b"], 1)
            self.assertEqual(pickle.loads(pickle.dumps(message)), message)
            self.assertEqual(hash(message), hash(pickle.loads(pickle.dumps(message))))
            await room.send("two", attributes=message.attributes)
            again = (await net.received(ada))[-1]
            self.assertEqual(again.attributes, message.attributes)

        self.on(scenario)

    def test_attributes_that_python_cannot_read(self):
        for text in ("[" * 100_000, "[]", "1", "{", ""):
            attributes = quicchat.Attributes(text)
            self.assertEqual((dict(attributes), attributes.text), ({}, text))


class Loops(Case):
    def test_without_a_loop_of_asyncio_there_are_words(self):
        from quicchat import client

        connecting = client.connect_to(None)
        with self.assertRaises(quicchat.WrongLoopError) as caught:
            connecting.send(None)
        self.assertIn("no running event loop", str(caught.exception))
        self.assertIsInstance(caught.exception, RuntimeError)

    def test_trio_is_told_by_its_name(self):
        trio = mock.Mock()  # what is asked of it: who does not run it gets a RuntimeError
        with mock.patch.dict(sys.modules, {"trio": trio}), \
                self.assertRaises(quicchat.WrongLoopError) as caught:
            quicchat.serve(self.config()).start().send(None)
        self.assertIn("this is trio", str(caught.exception))
        trio.lowlevel.current_trio_token.side_effect = RuntimeError
        with mock.patch.dict(sys.modules, {"trio": trio}), \
                self.assertRaises(quicchat.WrongLoopError) as caught:
            quicchat.serve(self.config()).start().send(None)
        self.assertNotIn("trio", str(caught.exception))

    def test_what_is_internal_is_not_public(self):
        public = {name for name in vars(quicchat.TLS) if not name.startswith("_")}
        self.assertEqual(public, {"system", "ca", "pin", "trust_on_first_use", "insecure", "mode",
                                  "pem", "keys", "path", "ask"})
        self.assertFalse([name for name in inspect.signature(quicchat.connect).parameters
                          if name.startswith("_")])


if __name__ == "__main__":
    unittest.main()
