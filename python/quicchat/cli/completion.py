"""``quicchat completion``: what a shell needs to complete our commands and options."""

from __future__ import annotations

import argparse

from ..terminal import clean_text, show
from ._parsers import commands_of, help_of, options_of, paths_of, takes_file, value_of

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
    options = [name for action in options_of(parser) for name in action.option_strings]
    return " ".join([*commands_of(parser), *options])


def _cases(parser: argparse.ArgumentParser, line: str) -> str:
    """For each command the words that may follow it."""
    return "".join(f"        '{' '.join(path)}') {line.format(_words(command))} ;;\n"
                   for path, command in paths_of(parser))


def _files(parser: argparse.ArgumentParser) -> str:
    found = {name for _, command in paths_of(parser) for action in options_of(command)
             if takes_file(action) for name in action.option_strings}
    return "|".join(sorted(found))


def _values(parser: argparse.ArgumentParser) -> set[str]:
    """Options behind which anything may stand."""
    return {name for _, command in paths_of(parser) for action in options_of(command)
            if value_of(action) and not takes_file(action) for name in action.option_strings}


def _bash(parser: argparse.ArgumentParser) -> str:
    return f"""# bash completion of quicchat
_quicchat() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" path="" words
    [ "$COMP_CWORD" -gt 1 ] && path="${{COMP_WORDS[1]}}"
    [ "$path" = user ] && [ "$COMP_CWORD" -gt 2 ] && path="user ${{COMP_WORDS[2]}}"
    COMPREPLY=()
    case "$before" in
        {_files(parser)}) COMPREPLY=($(compgen -f -- "$current")); return ;;
        {"|".join(sorted(_values(parser)))}) return ;;
    esac
    case "$path" in
{_cases(parser, 'words="{}"')}    esac
    [ "$path" = completion ] && words="bash zsh fish $words"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _quicchat quicchat
"""


def _zsh(parser: argparse.ArgumentParser) -> str:
    return f"""#compdef quicchat
_quicchat() {{
    local place="" before="${{words[CURRENT-1]}}"
    (( CURRENT > 2 )) && place="${{words[2]}}"
    [[ "$place" == user ]] && (( CURRENT > 3 )) && place="user ${{words[3]}}"
    case "$before" in
        {_files(parser)}) _files; return ;;
        {"|".join(sorted(_values(parser)))}) return ;;
    esac
    [[ "$place" == completion ]] && compadd -- bash zsh fish
    case "$place" in
{_cases(parser, "compadd -- {}")}    esac
    [[ -n "$place" && "${{words[CURRENT]}}" != -* ]] && _files
}}
compdef _quicchat quicchat
"""


def _fish(parser: argparse.ArgumentParser) -> str:
    lines = ["# fish completion of quicchat", "complete -c quicchat -f"]
    for path, command in paths_of(parser):
        seen = f"__fish_seen_subcommand_from {path[-1]}" if path else "__fish_use_subcommand"
        if len(path) == 2:
            seen = f"__fish_seen_subcommand_from {path[0]}; and {seen}"
        for name, sub in commands_of(command).items():
            lines.append(f"complete -c quicchat -n '{seen}' -a {name} -d "
                         f"{_quoted(sub.description or '')}")
        for action in options_of(command):
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                             for name in action.option_strings)
            value = " -r -F" if takes_file(action) else " -x" if value_of(action) else ""
            lines.append(f"complete -c quicchat -n '{seen}' {names}{value} -d "
                         f"{_quoted(help_of(action))}")
    lines.append("complete -c quicchat -n '__fish_seen_subcommand_from completion' "
                 "-a 'bash zsh fish'")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
