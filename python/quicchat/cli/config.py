"""``quicchat config``."""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path

from ..config import load_config, user_path
from ..config_keys import CONFIG_KEYS, EXAMPLE, ConfigKey
from ..errors import ConfigError
from ..terminal import clean_text, show
from ._parsers import add_action
from ._tables import described, markdown

NAME = "config"
HELP = "Check a server's configuration, and explain its keys."
EXAMPLES = """examples:
  quicchat config check                      config.json, all mistakes at once
  quicchat config reference limits           what the keys mean whose names begin so
  quicchat config example > config.json      one to begin with

Nothing is changed, and no server need run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = add_action(actions, "check", "Look for mistakes; the status is 0 if there are none.",
                       "quicchat config check /srv/chat/config.json")
    check.add_argument("config", type=user_path, nargs="?", default=Path("config.json"),
                       metavar="FILE", help="the configuration (default: config.json)")
    check.set_defaults(action=_check)
    reference = add_action(actions, "reference", "Say what each key means, and what it is if it is "
                           "not there.", "quicchat config reference auth")
    reference.add_argument("key", nargs="?", default="",
                           help="only this one, and those below it, such as 'limits'")
    reference.add_argument("--markdown", action="store_true", help="as a page")
    reference.set_defaults(action=_reference)
    example = add_action(actions, "example", "Print a small configuration.",
                         "quicchat config example > config.json")
    example.set_defaults(action=_example)


def run(options: argparse.Namespace) -> int:
    return int(options.action(options))


def _check(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    for notice in config.notices:
        show(f"note: {notice}")
    kept = f"kept in {config.database}" if config.stores else "rooms live in memory"
    show(f"{options.config} is fine: {len(config.accounts)} account(s) in it, room(s) "
         f"{', '.join(config.rooms)}, {kept}")
    return 0


def _reference(options: argparse.Namespace) -> int:
    if options.markdown:
        show(clean_text(reference_page()), end="")
        return 0
    chosen = [key for key in CONFIG_KEYS
              if not options.key or key.name == options.key
              or key.name.startswith(f"{options.key}.") or key.name == f"limits.{options.key}"]
    if not chosen:
        names = [name for key in CONFIG_KEYS for name in {key.name, key.name.split(".")[-1]}]
        close = difflib.get_close_matches(options.key, names, n=1)
        raise ConfigError(f"there is no key {options.key!r}", code="E-USAGE",
                          hint=f"quicchat config reference {close[0]}" if close
                          else "quicchat config reference shows all of them")
    show(clean_text(described((_head(key), _text(key)) for key in chosen)))
    return 0


def _example(options: argparse.Namespace) -> int:
    show(clean_text(EXAMPLE), end="")
    return 0


def _head(key: ConfigKey) -> str:
    return f"{key.name}  ({key.kind}{f'; {key.default}' if key.default else ''})"


def _text(key: ConfigKey) -> str:
    return key.meaning + (" Needs a restart." if key.restart else "")


def reference_page() -> str:
    """The guide of all keys."""
    own = [key for key in CONFIG_KEYS if not key.name.startswith("limits.")]
    limits = [key for key in CONFIG_KEYS if key.name.startswith("limits.")]
    return f"""# Configuration

What `config.json` may hold, made by `quicchat config reference --markdown`. `quicchat config check`
looks for mistakes and says all of them at once; `quicchat config example` prints one to begin with:

```json
{EXAMPLE}```

Keys that begin with `x-`, and `$schema`, are left alone. Paths begin at the folder of the file; `~`
is the home folder. SIGHUP lets a server read the file again; what is marked needs a restart.

{markdown(("key", "what", "default", "meaning"), map(_row, own))}
## Limits

What one peer may cost, in `"limits": {{...}}`. "A second" is an average, and a burst is allowed
above it. A network is 24 bits of an IPv4 address, 56 of an IPv6 one. Limits that do not fit
together are refused in words.

{markdown(("key", "what", "default", "meaning"), map(_row, limits))}"""


def _row(key: ConfigKey) -> tuple[str, str, str, str]:
    default = f"`{key.default}`" if key.default else ""
    return f"`{key.name.removeprefix('limits.')}`", key.kind, default, _text(key)
