"""What the tests of terminal safety share: the corpus, a judge of what was shown, and instances of
any event or error, made by reflection with a text of ours in every place where a text can stand."""

import contextlib
import functools
import inspect
import io
import itertools
import json
import re
import types
import typing
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

import quicchat
from quicchat import _core, _failures, errors, events, records

VECTORS = Path(__file__).parent / "vectors" / "terminal.txt"
COLOUR = re.compile(r"\x1b\[(1|2|3[1-6])m(.*?)\x1b\[0m", re.DOTALL)


def corpus():
    """By name: a text, and what clean_line makes of it."""
    rows = {}
    for line in VECTORS.read_text().split("\n"):
        if line and not line.startswith("#"):
            name, *texts = line.split("\t")
            assert name not in rows, f"{name} stands twice in {VECTORS.name}"
            rows[name] = tuple(json.loads(text) for text in texts)
    return rows


# The judge shares nothing with the code that it judges but Unicode's own tables.

_BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
# Of category Cf, but with a glyph of their own.
_VISIBLE_FORMAT = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
_INVISIBLE_NAMES = re.compile(
    "HANGUL.*FILLER|INVISIBLE|GRAPHEME JOINER|VOWEL INHERENT|ZERO WIDTH|^TAG |^LANGUAGE TAG|"
    "WORD JOINER|VOWEL SEPARATOR")
_CHANGES_WHAT_IS_BEFORE = re.compile(
    "VARIATION SELECTOR|ZERO WIDTH (NON-)?JOINER")
_PILE_MAX = 16  # eight from each of two texts that follow each other


def problem(shown, *, lines=False):
    """What is wrong with text that a terminal was given; nothing, if it is harmless. It may have
    our own colours, and several ``lines``."""
    plain = COLOUR.sub(r"\2", shown)
    before, pile = " ", 0
    for at, character in enumerate(plain):
        if " " <= character <= "~" or character == "\n" and lines:
            before, pile = character, 0
            continue
        found, on_top = _judge(character, before)
        pile = pile + 1 if on_top else 0
        if found or pile > _PILE_MAX:
            return (f"{found or 'a pile'}: U+{ord(character):04X} in "
                    f"{plain[max(0, at - 20):at + 20]!r}")
        before = character
    return ""


@functools.lru_cache(1 << 16)
def _judge(character, before):
    """What is wrong with a character there, and whether it stands on the one before it."""
    name, kind = unicodedata.name(character, ""), unicodedata.category(character)
    changes = bool(_CHANGES_WHAT_IS_BEFORE.search(name))
    on_top = changes or kind in ("Mn", "Me")
    if changes:
        return "" if _has_variants(before, character) else "invisible", on_top
    if kind in ("Cc", "Cs", "Zl", "Zp"):
        return "a control", on_top
    if unicodedata.bidirectional(character) in _BIDIRECTIONAL:
        return "a bidirectional control", on_top
    if kind == "Cf" and ord(character) not in _VISIBLE_FORMAT:
        return "a format control", on_top
    if _INVISIBLE_NAMES.search(name) or 0xE0000 <= ord(character) <= 0xE0FFF:
        return "invisible", on_top
    return "", on_top


def _has_variants(before, character):
    """Whether a joiner or selector may stand behind that character."""
    if before in "#*0123456789\u24c2":
        return character in "\ufe0e\ufe0f"
    if _CHANGES_WHAT_IS_BEFORE.search(unicodedata.name(before, "")):
        return character in "\u200c\u200d" and before not in "\u200c\u200d"
    return not before.isascii() and before.lower() == before.upper() and not before.isspace()


def fakes_a_line(shown):
    """A line of a text of several lines that is not indented; nothing, if there is none."""
    return next((line for line in shown.split("\n")[1:] if not line.startswith("    ")), "")


# Instances by reflection.

# Texts that events are told apart by, beside the one that is tried.
_WORDS = {"sender": ("Me",), "user": ("Me",), "error": ("removed", "closed"),
          "cause": ("new_epoch", "rolled_back", "left")}
ME = "me"


def event_classes():
    """All dataclasses of quicchat.events and quicchat.records."""
    found = {value for module in (events, records) for value in vars(module).values()
             if inspect.isclass(value) and is_dataclass(value)}
    return sorted(found, key=lambda cls: cls.__name__)


#: Asked thousands of times of the same few.
hints_of = functools.cache(typing.get_type_hints)
signature_of = functools.cache(inspect.signature)


def instances(cls, text):
    """Of a dataclass: with that text in all its texts, and every choice of all else."""
    hints = hints_of(cls)
    choices = []
    for field in fields(cls):
        found = values(hints[field.name], text)
        if hints[field.name] is str:
            found += _WORDS.get(field.name, ())
        choices.append(found)
    return [cls(*chosen) for chosen in itertools.product(*choices)]


def values(hint, text):
    """Values of a type. Fails for a type that it does not know: teach it then."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return [value for argument in arguments for value in values(argument, text)]
    if origin in (tuple, list, Iterable):
        return [(origin or tuple)(values(arguments[0], text))]
    if origin in (dict, Mapping):
        return [{text: text}]
    if is_dataclass(hint):
        return instances(hint, text)
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return list(hint)
    if inspect.isclass(hint) and issubclass(hint, errors.QuicChatError):
        return [error_of(hint, text)]
    known = {quicchat.Attributes: [quicchat.Attributes(json.dumps({text: text}))],
             str: [text], bool: [False, True], int: [7], float: [1.5], bytes: [b"0123456789abcdef"],
             types.NoneType: [None], None: [None], typing.Any: [text], Path: [Path(text)],
             timedelta: [timedelta(1)], datetime: [datetime.now(UTC), datetime.max]}
    if hint not in known:
        raise TypeError(f"tests/_terminal.py does not know how to make a {hint}")
    return list(known[hint])


def error_classes():
    """QuicChatError and all that is made of it."""
    found = [errors.QuicChatError]
    for cls in found:
        found += [sub for sub in cls.__subclasses__() if sub not in found]
    return found


def error_of(cls, text):
    """An error with that text in every place."""
    given = {"reason": text, "hint": text, "detail": {text: text}}
    hints = hints_of(cls.__init__)
    for parameter in signature_of(cls.__init__).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in (*given, "code"):
            given[parameter.name] = values(hints[parameter.name], text)[0]
    return cls(text, **given)


def translated_errors(text):
    """What becomes of each error of the protocol, whose texts the peer chose."""
    peer = _failures.Peer(text, 7, text, text, (text,), text)
    for name in [*(row[1] for row in _core.error_table()), text]:
        for by_peer in (False, True):
            for shown_key in ("", text):
                end = events.Disconnected(name, by_peer, text, 7, 7, shown_key)
                yield _failures.connect_error(end, peer)
                yield _failures.closed_error(end, peer)
        yield _failures.request_error(name, 1.5, text, text)
        yield _failures.storage_error(text, name)
        yield _failures.storage_error(f"database '{text}': {text}; {text} ({text})", name)
    for category in ("quicchat", "certificate", "system"):
        error = _core.CoreError(category, 7, text, text)
        yield _failures.core_error(error, text)
        yield _failures.bind_error(error, text, 7)


# Output.

class Output(io.StringIO):
    """Standard output or error, which may be a terminal with colours."""

    def __init__(self, coloured=False):
        super().__init__()
        self._coloured = coloured

    def isatty(self):
        return self._coloured


@contextlib.contextmanager
def shown(coloured=False):
    """Catches what is printed on both outputs; it is in the value at the end."""
    output = Output(coloured)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        yield output


assert quicchat.QuicChatError is errors.QuicChatError
