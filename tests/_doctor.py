"""What the tests of `quicchat doctor` share."""

import asyncio
import struct

from _support import Case, quicchat, scaled

PATIENCE = scaled(3.0)  # of each step
STEPS = ("name", "udp", "path_mtu", "versions", "alpn", "certificate", "trust", "login", "clock",
         "round_trip")


def negotiation(*versions, own_version=0):
    """Answers every datagram as a QUIC server that speaks only these versions."""

    def answer(data):
        to, own = data[6:14], data[15:23]
        head = b"\x80" + struct.pack("!I", own_version) + b"\x08" + own + b"\x08" + to
        return head + b"".join(struct.pack("!I", version) for version in versions)

    return answer


class Doctor(Case):
    def examine(self, host, port, tls=None, **options):
        """All steps by their names."""
        request = quicchat.doctor.Request(host, port, tls or quicchat.TLS.trust_on_first_use(),
                                          timeout=options.pop("timeout", PATIENCE), **options)
        found = {step.name: step for step in quicchat.doctor.examine(request)}
        self.assertEqual(tuple(found), STEPS)
        for step in found.values():
            self.assertIn(step.status, ("ok", "warning", "failed", "skipped"))
            self.assertTrue(step.text)
            if step.status == "failed":
                self.assertRegex(step.code, r"^E-[A-Z-]+$", step)
            if step.status in ("warning", "failed"):
                self.assertTrue(step.fix, step)
        return found

    def assert_statuses(self, found, **expected):
        """The statuses of these steps; all others are ok."""
        self.assertEqual({name: step.status for name, step in found.items()},
                         {name: expected.get(name, "ok") for name in STEPS},
                         [f"{s.name}: {s.text} {s.why}" for s in found.values()])

    def assert_stopped_at(self, found, name, code):
        """That step failed, and what needs it was not tried."""
        before = STEPS[:STEPS.index(name)]
        self.assert_statuses(found, **{step: "skipped" for step in STEPS if step not in before}
                             | {name: "failed", "clock": "ok"})
        self.assertEqual(found[name].code, code)

    def with_server(self, act, *, alpn="quicchat/1", **config):
        """`act(port)` in a thread, while a server of this process runs."""

        async def main():
            async with quicchat.Server(self.config(**config), _alpn=alpn) as server:
                return await asyncio.to_thread(act, server.address[1])

        return self.run_async(main)

    def raw_server(self, certificate, key):
        """A server with a pair that `quicchat serve` would not take; its port."""
        server = quicchat._core.Server(
            address="127.0.0.1:0", certificate_pem=certificate, key_pem=key, accounts=[],
            iterations=100_000, database="", durability="fsync", files="", files_in_memory=False,
            hook_timeout=None, check_timeout=None, accepts_unchecked=False, rooms=["#lobby"],
            operators=[], anybody_makes_rooms=True, alpn="quicchat/1", agent="{}", limits={})
        self.addCleanup(server.shutdown)
        return int(server.address.rpartition(":")[2])
