"""Counts the tests in a JUnit file (ctest, pytest) or in the output of unittest, or names those
that failed.

    count_results.py junit FILE
    count_results.py unittest FILE
    count_results.py --failed junit FILE
    count_results.py --failed unittest FILE
    count_results.py --merge FILE AGAIN

Prints three numbers: passed, failed, skipped; or a line for each test that failed, indented further
what it said last. --merge puts what a second run of some tests said into the JUnit file of the
first, and names those that passed only then.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

#: Of each test that failed, in a JUnit file; and of all of them together.
SAID_LINES_MAX = 15
ALL_SAID_LINES_MAX = 45


def failures_of(case: ElementTree.Element) -> list[ElementTree.Element]:
    return [*case.iter("failure"), *case.iter("error")]


def count_junit(path: str) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if failures_of(case):
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


def failed_junit(path: str) -> list[str]:
    lines: list[str] = []
    left = ALL_SAID_LINES_MAX
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        failures = failures_of(case)
        if not failures:
            continue
        lines.append(case.get("name", "a test without a name"))
        # ctest has the words of a test beside the failure, pytest in it.
        texts = [text for found in (case.find("system-out"), *failures)
                 if found is not None and (text := (found.text or "").strip())]
        said = texts[0].splitlines()[-min(left, SAID_LINES_MAX):] if texts and left else []
        lines += [f"    {line}" for line in said]
        left -= len(said)
    return lines


def failed_unittest(path: str) -> list[str]:
    """Names only, from the end, where side_by_side.py says it all once more."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    text = text[re.search(r"^--- failed: |\Z", text, re.MULTILINE).start():]
    names = re.findall(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.+)$", text, re.MULTILINE)
    return list(dict.fromkeys(names))


def merge(path: str, again: str) -> list[str]:
    tree = ElementTree.parse(path)
    second = {case.get("name"): case
              for case in ElementTree.parse(again).getroot().iter("testcase")}
    passed: list[str] = []
    for suite in tree.getroot().iter("testsuite"):
        for i, case in enumerate(list(suite)):
            name = case.get("name")
            if case.tag != "testcase" or name not in second or not failures_of(case):
                continue
            suite[i] = second[name]
            if not failures_of(second[name]):
                passed.append(str(name))
    tree.write(path, encoding="utf-8", xml_declaration=True)
    return passed


def main(arguments: list[str]) -> None:
    if arguments[0] == "--merge":
        for line in merge(arguments[1], arguments[2]):
            print(line)
    elif arguments[0] == "--failed":
        name = {"junit": failed_junit, "unittest": failed_unittest}[arguments[1]]
        for line in name(arguments[2]):
            print(line)
    else:
        print(*{"junit": count_junit, "unittest": count_unittest}[arguments[0]](arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
