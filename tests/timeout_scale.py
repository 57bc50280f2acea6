"""How many times longer than on a calm machine everything takes at the moment.

    timeout_scale.py PROCESSES

The suites run so many processes at once; this does the same with a fixed piece of work and prints
the ratio of its time to CALM_SECONDS, between 1 and 6. run.sh makes it QUICCHAT_TEST_TIMEOUT_SCALE
where nobody has set that.
"""

import subprocess
import sys
import time

#: What the work takes on an idle machine of 2026.
CALM_SECONDS = 0.8
SCALE_MAX = 6.0
WORK = """
total = 0
for number in range(4_000_000):
    total = (total * 31 + number) & 0xFFFFFFFF
"""


def measure(processes: int) -> float:
    """The scale for so many processes side by side."""
    begin = time.monotonic()
    workers = [subprocess.Popen([sys.executable, "-c", WORK]) for _ in range(processes)]
    for worker in workers:
        worker.wait()
    return min(max((time.monotonic() - begin) / CALM_SECONDS, 1.0), SCALE_MAX)


if __name__ == "__main__":
    print(f"{measure(int(sys.argv[1])):.1f}")
