"""Runs the files of unittest side by side, each in a process of its own.

    side_by_side.py [PROCESSES]

Tests what `python3 -m unittest discover -s tests` does, and ends with the same two lines. Many
tests wait for a clock, so that more processes than processors are faster. What a file says is shown
when it has ended, and of what failed once more at the end, where nobody overlooks it.

With QUICCHAT_TEST_AGAIN=1 each file that failed runs once more, alone. If it passes then, that
counts, and a line at the end says so: "passed only when it ran again, alone: FILE: TESTS".
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

TESTS = Path(__file__).resolve().parent
#: Those that take longest, first: nobody should wait for one that began last.
SLOW = ("test_restart.py", "test_terminal_sinks.py", "test_crash.py", "test_files.py",
        "test_web_browser_people.py", "test_web_browser_faults.py", "test_web_browser.py")

#: Of what a file said of its failed tests, at the end.
FAILED_LINES_MAX = 60


def run(name: str) -> tuple[str, float, subprocess.CompletedProcess[str]]:
    begin = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "unittest", "discover", "-s", str(TESTS), "-p", name],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=TESTS.parent, encoding="utf-8", errors="replace", check=False)
    return name, time.monotonic() - begin, result


def numbers_of(output: str) -> dict[str, int]:
    """How many ran, and what the last line says: failures, errors, skipped, ..."""
    lines = output.splitlines()
    ran = [int(n) for n in re.findall(r"^Ran (\d+) tests? in ", output, re.MULTILINE)]
    if not ran:
        return {"ran": 0, "errors": 1}  # it did not even get to its summary
    words = re.findall(r"(\w[\w ]*)=(\d+)", lines[-1])
    return {"ran": ran[-1], **{name: int(number) for name, number in words}}


def has_failed(result: subprocess.CompletedProcess[str]) -> bool:
    """A file whose tests are all skipped has not, though Python from 3.12 on ends with 5 then."""
    return result.returncode != 0 and not (
        result.returncode == 5
        and re.search(r"^NO TESTS RAN \(skipped=\d+\)$", result.stdout, re.MULTILINE))


def failures_in(name: str, status: int, output: str) -> list[str]:
    """What a file that failed said of it: from the first line of ===== on."""
    lines = output.splitlines()
    begin = next((i for i, line in enumerate(lines) if re.fullmatch("={20,}", line)), None)
    head = [f"--- failed: {name}"]
    if begin is None:  # it was ended, or ended itself
        head.append(f"ERROR: {name} (status {status}, and no word of a test)")
        return head + lines[-FAILED_LINES_MAX:]
    said = lines[begin:begin + FAILED_LINES_MAX]
    if len(lines) - begin > len(said):
        # The names at least are whole.
        said.append(f"[{len(lines) - begin - len(said)} more lines, see above]")
        said += [line for line in lines[begin + FAILED_LINES_MAX:]
                 if re.match("(FAIL|ERROR|UNEXPECTED SUCCESS): ", line)]
    return head + said


def names_in(output: str) -> list[str]:
    """The tests that failed."""
    names = re.findall(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\S+)", output, re.MULTILINE)
    return list(dict.fromkeys(names))


def report(name: str, seconds: float, result: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Shows what a file said, and counts it."""
    print(f"--- {name}: {seconds:.0f} s\n{result.stdout}", flush=True)
    numbers = numbers_of(result.stdout)
    # A file that dies after its summary has failed as well.
    if has_failed(result) and not set(numbers) & {"failures", "errors", "unexpected successes"}:
        numbers["errors"] = 1
    return numbers


def main(processes: int) -> int:
    # Whoever was begun in the background or by nohup ignores Ctrl-C or the end of a terminal. The
    # programs that are tested would do so, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    files = [path.name for folder in (TESTS, TESTS / "interop")
             for path in sorted(folder.glob("test*.py"))]
    files.sort(key=lambda name: SLOW.index(name) if name in SLOW else len(SLOW))
    begin = time.monotonic()
    numbers: dict[str, dict[str, int]] = {}
    failed: dict[str, subprocess.CompletedProcess[str]] = {}
    with ThreadPoolExecutor(processes) as pool:
        for ended in as_completed([pool.submit(run, name) for name in files]):
            name, seconds, result = ended.result()
            numbers[name] = report(name, seconds, result)
            if has_failed(result):
                failed[name] = result
    passed_again: list[str] = []
    if os.environ.get("QUICCHAT_TEST_AGAIN") == "1":
        for name, first in list(failed.items()):
            _, seconds, second = run(name)
            numbers[name] = report(f"{name}, again", seconds, second)
            failed[name] = second
            if not has_failed(second):
                del failed[name]
                names = " ".join(names_in(first.stdout)) or f"status {first.returncode}"
                passed_again.append(f"{name}: {names}")
    for name, result in failed.items():
        print(*failures_in(name, result.returncode, result.stdout), sep="\n")
    for line in passed_again:
        print(f"passed only when it ran again, alone: {line}")
    total = Counter[str]()
    for of_file in numbers.values():
        total.update(of_file)
    ran = total.pop("ran")
    details = ", ".join(f"{word}={number}" for word, number in total.items())
    print(f"Ran {ran} tests in {time.monotonic() - begin:.1f}s\n")
    print(("FAILED" if failed else "OK") + (f" ({details})" if details else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else (os.cpu_count() or 2) + 1))
