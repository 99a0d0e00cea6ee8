"""Shell completion: files for sources, names and files for models."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

FILE, DIRECTORY = "file", "dir"


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files and directories, which the shell finds by itself."""
    return [CompletionItem(incomplete, type=FILE)]


def complete_directories(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Directories alone."""
    return [CompletionItem(incomplete, type=DIRECTORY)]


def complete_model(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the bundled model and of those in the store, and files."""
    from streamer.models.model import BUNDLED  # not for --help
    from streamer.models.store import stored_names

    names = [name for name in (BUNDLED, *stored_names()) if name.startswith(incomplete)]
    return [*map(CompletionItem, names), *complete_files(context, parameter, incomplete)]


_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' completion response type value files=
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1)
    for completion in $response; do
        IFS=',' read type value <<< "$completion"
        case $type in
            dir) compopt -o dirnames ;;
            file) files=1 ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done
    if [[ $files && ${#COMPREPLY[@]} -eq 0 ]]; then
        compopt -o default
    elif [[ $files ]]; then
        compopt -o filenames
        COMPREPLY+=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
    fi
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class NamesAndFiles(BashComplete):
    """click's completion for bash, which offers files beside names; click's own offers one or the other."""

    source_template = _BASH


def teach_bash() -> None:
    """Makes ``_STREAMER_COMPLETE=bash_source`` print the script of `NamesAndFiles`."""
    add_completion_class(NamesAndFiles, "bash")
