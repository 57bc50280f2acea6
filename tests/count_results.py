"""Counts the tests in a JUnit file (ctest, pytest) or in the output of unittest.

    count_results.py junit FILE
    count_results.py unittest FILE

Prints three numbers: passed, failed, skipped.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree


def count_junit(path: str) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count_unittest(path: str) -> tuple[int, int, int]:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    runs = re.findall(r"^Ran (\d+) tests? in ", text, re.MULTILINE)
    if not runs:
        return 0, 1, 0  # it did not even get to its summary
    # The last line, such as "FAILED (failures=1, errors=2, skipped=3)".
    last_line = text.splitlines()[-1]
    numbers = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", last_line)}
    failed = numbers.get("failures", 0) + numbers.get("errors", 0)
    failed += numbers.get("unexpected_successes", 0) + numbers.get("successes", 0)
    skipped = numbers.get("skipped", 0)
    return max(int(runs[-1]) - failed - skipped, 0), failed, skipped


if __name__ == "__main__":
    counters = {"junit": count_junit, "unittest": count_unittest}
    print(*counters[sys.argv[1]](sys.argv[2]))
