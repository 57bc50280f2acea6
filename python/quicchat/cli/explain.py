"""``quicchat explain``."""

from __future__ import annotations

import argparse
import difflib

from ..error_codes import ERROR_CODES, find_error_code
from ..errors import ConfigError
from ..terminal import clean_text, show
from ._tables import described, markdown

NAME = "explain"
HELP = "Say what an error code means, and what to do about it."
EXAMPLES = """examples:
  quicchat explain E-CERT-UNTRUSTED
  quicchat explain                           all of them"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE",
                        help="as errors have it in brackets; E- may be left out")
    parser.add_argument("--markdown", action="store_true", help="all of them, as a page")


def run(options: argparse.Namespace) -> int:
    if options.markdown:
        show(clean_text(troubleshooting_page()), end="")
        return 0
    chosen = list(ERROR_CODES)
    if options.code is not None:
        found = find_error_code(options.code)
        if found is None:
            raise _unknown(options.code)
        chosen = [found]
    show(clean_text(described(
        (f"{entry.code}  (exit status {entry.status})", f"{entry.meaning} {entry.remedy}")
        for entry in chosen)))
    return 0


def _unknown(code: str) -> ConfigError:
    names = [entry.code for entry in ERROR_CODES]
    close = difflib.get_close_matches(code.upper(), names, n=1)
    return ConfigError(f"there is no error code {code!r}", code="E-USAGE",
                       hint=f"quicchat explain {close[0]}" if close
                       else "quicchat explain shows all of them")


def troubleshooting_page() -> str:
    """The guide of all error codes."""
    rows = ((f"`{entry.code}`", str(entry.status), entry.meaning, entry.remedy)
            for entry in ERROR_CODES)
    return f"""# Troubleshooting

What each error code means and what to do, made by `quicchat explain --markdown`. An error's own
text says more: what happened, why, and a line that begins with `fix:`. Its code stands in brackets
behind it, and is `error.code` in Python. The status is that of a command that ends with it.

`quicchat doctor HOST[:PORT]` looks at each step of a connection and says which one fails.
`quicchat config check` looks at a server's configuration, `quicchat status` at the server of this
computer.

{markdown(("code", "status", "what happened", "what to do"), rows)}"""
