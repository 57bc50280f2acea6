"""The JavaScript package: its tests in tests/web, by node, and its types, by tsc.

What needs the modules as WebAssembly is skipped where tests/prepare_web.sh has not built them;
QUICCHAT_WEB_TESTS=1 with QUICCHAT_LONG=1 says that it has, and what is not there then is a
failure."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from _support import PATIENCE, ROOT

WEB = ROOT / "bindings" / "web"
SITE = ROOT / "build" / "web"
SERVED = ROOT / "build" / "web-test" / "served.wasm"
TSC = ROOT / "build" / "web-tools" / "node_modules" / ".bin" / "tsc"
NODE = shutil.which("node")


def newest(*patterns):
    return max(path.stat().st_mtime for pattern in patterns for path in ROOT.glob(pattern))


@unittest.skipUnless(NODE, "node is not installed (Debian: nodejs, 20 or newer)")
class Package(unittest.TestCase):
    def run_node(self, *names, **variables):
        version = subprocess.run([NODE, "--version"], capture_output=True, text=True).stdout
        if int(re.match(r"v(\d+)", version)[1]) < 20:
            self.skipTest(f"node is older than 20: {version.strip()}")
        files = [str(Path("tests", "web", name)) for name in names]
        result = subprocess.run([NODE, "--test", *files], cwd=ROOT, capture_output=True, text=True,
                                timeout=5 * PATIENCE, env={**os.environ, **variables})
        said = result.stdout + result.stderr
        self.assertEqual(result.returncode, 0, said)
        self.assertGreater(int(re.search(r"^# pass (\d+)", said, re.MULTILINE)[1]), 0, said)

    def test_the_glue_and_what_a_page_reads(self):
        self.run_node("transport.test.mjs", "reader.test.mjs", "log.test.mjs", "store.test.mjs")

    def test_the_client_against_the_real_server(self):
        for module in (SITE / "quicchat" / "quicchat.wasm", SERVED):
            problem = ""
            if not module.exists():
                problem = "was not built"
            elif module.stat().st_mtime < newest("bindings/web/cpp/*", "include/quicchat/**/*pp"):
                problem = "is old"
            if problem:
                words = (f"{module.relative_to(ROOT)} {problem}: "
                         "QUICCHAT_LONG=1 tests/prepare_web.sh")
                if os.environ.get("QUICCHAT_WEB_TESTS") and os.environ.get("QUICCHAT_LONG"):
                    self.fail(words)
                self.skipTest(words)
        self.run_node("client.test.mjs", "kept.test.mjs", QUICCHAT_WEB=str(SITE),
                      QUICCHAT_SERVED=str(SERVED))

    def test_types(self):
        tsc = shutil.which("tsc") or shutil.which(TSC)
        if tsc is None:
            self.skipTest("tsc is not installed: tests/prepare_web.sh")
        result = subprocess.run([tsc, "--project", "tests/web/tsconfig.json"], cwd=ROOT,
                                capture_output=True, text=True, timeout=5 * PATIENCE)
        self.assertEqual(result.returncode, 0, result.stdout)


if __name__ == "__main__":
    unittest.main()
