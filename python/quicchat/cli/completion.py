"""``quicchat completion``: what a shell needs to complete our commands and options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from ..terminal import clean_text, show
from ._parsers import (
    commands_of,
    help_of,
    options_of,
    paths_of,
    positionals_of,
    takes_file,
    value_of,
)

NAME = "completion"
HELP = "Print what bash, zsh or fish need to complete commands and options."
EXAMPLES = """examples:
  quicchat completion bash > ~/.local/share/bash-completion/completions/quicchat
  quicchat completion zsh > "${fpath[1]}/_quicchat"
  quicchat completion fish > ~/.config/fish/completions/quicchat.fish"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(_SHELLS))


def run(options: argparse.Namespace) -> int:
    from . import make_parser

    show(clean_text(_SHELLS[options.shell](make_parser())), end="")
    return 0


def _words(parser: argparse.ArgumentParser) -> str:
    """What may follow a command: others below it, options, and words of which one has to stand."""
    options = [name for action in options_of(parser) for name in action.option_strings]
    chosen = [str(word) for action in positionals_of(parser) for word in action.choices or ()]
    return " ".join([*commands_of(parser), *chosen, *options])


def _cases(parser: argparse.ArgumentParser, line: str) -> str:
    """For each command the words that may follow it."""
    return "".join(f"        '{' '.join(path)}') {line.format(_words(command))} ;;\n"
                   for path, command in paths_of(parser))


def _ways(parser: argparse.ArgumentParser) -> str:
    """A pattern of a command and a word behind it that leads to another one."""
    return "|".join(f'"{" ".join(path[:-1])} {path[-1]}"' for path, _ in paths_of(parser) if path)


def _options(parser: argparse.ArgumentParser,
             are: Callable[[argparse.Action], bool]) -> Iterator[tuple[str, argparse.Action]]:
    for _, command in paths_of(parser):
        for action in options_of(command):
            if value_of(action) and are(action):
                for name in action.option_strings:
                    yield name, action


def _values(parser: argparse.ArgumentParser, files: str, words: str) -> str:
    """What stands behind options: a file, one of some words, or anything."""
    choices: dict[str, set[str]] = {}
    for name, action in _options(parser, lambda a: a.choices is not None):
        choices.setdefault(name, set()).update(map(str, action.choices or ()))
    paths = {name for name, _ in _options(parser, takes_file)} - set(choices)
    others = {name for name, _ in _options(parser, lambda _: True)} - paths - set(choices)
    lines = [f"        {'|'.join(sorted(paths))}) {files}; return ;;"]
    lines += [f"        {name}) {words.format(' '.join(sorted(values)))}; return ;;"
              for name, values in sorted(choices.items())]
    return "\n".join([*lines, f"        {'|'.join(sorted(others))}) return ;;"])


def _bash(parser: argparse.ArgumentParser) -> str:
    return f"""# bash completion of quicchat
_quicchat() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}"
    local word path="" words
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$path $word" in
            {_ways(parser)}) path="${{path:+$path }}$word" ;;
        esac
    done
    COMPREPLY=()
    case "$before" in
{_values(parser, 'COMPREPLY=($(compgen -f -- "$current"))',
         'COMPREPLY=($(compgen -W "{}" -- "$current"))')}
    esac
    case "$path" in
{_cases(parser, 'words="{}"')}    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _quicchat quicchat
"""


def _zsh(parser: argparse.ArgumentParser) -> str:
    return f"""#compdef quicchat
_quicchat() {{
    local place="" word before="${{words[CURRENT-1]}}"
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$place $word" in
            {_ways(parser)}) place="${{place:+$place }}$word" ;;
        esac
    done
    case "$before" in
{_values(parser, '_files', 'compadd -- {}')}
    esac
    case "$place" in
{_cases(parser, "compadd -- {}")}    esac
    [[ -n "$place" && "${{words[CURRENT]}}" != -* ]] && _files
}}
# The first time zsh runs this file because it wants an answer.
if [[ "${{funcstack[1]}}" == _quicchat ]]; then
    _quicchat "$@"
else
    compdef _quicchat quicchat
fi
"""


def _fish(parser: argparse.ArgumentParser) -> str:
    lines = ["# fish completion of quicchat", "complete -c quicchat -f"]
    for path, command in paths_of(parser):
        seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in path)
        here = seen or "__fish_use_subcommand"
        below = commands_of(command)
        if path and below:
            here = f"{seen}; and not __fish_seen_subcommand_from {' '.join(below)}"
        start = f"complete -c quicchat -n '{here}'"
        lines += [f"{start} -a {name} -d {_quoted(sub.description or '')}"
                  for name, sub in below.items()]
        for action in options_of(command):
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                             for name in action.option_strings)
            lines.append(f"{start} {names}{_fish_value(action)} -d {_quoted(help_of(action))}")
        for action in positionals_of(command):
            if action.choices is not None:
                lines.append(f"{start} -a '{' '.join(map(str, action.choices))}'")
            elif takes_file(action):
                lines.append(f"{start} -F")
    return "\n".join(lines) + "\n"


def _fish_value(action: argparse.Action) -> str:
    """What stands behind an option."""
    if action.choices is not None:
        return f" -x -a '{' '.join(map(str, action.choices))}'"
    return " -r -F" if takes_file(action) else " -x" if value_of(action) else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
