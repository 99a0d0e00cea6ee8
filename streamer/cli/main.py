"""The ``streamer`` command: its commands are loaded when they are called, so that ``--help`` is quick."""

from __future__ import annotations

import gc
import io
import os
import re
import sys
import threading
import traceback
from typing import Any, NoReturn

import click

from streamer import __version__
from streamer.cli.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_SIGINT, EXIT_USAGE, exit_of_signal
from streamer.cli.lazy_group import LazyGroup
from streamer.cli.signals import obeyed_signals
from streamer.cli.streams import Watched, watched_streams
from streamer.workers.stopping import Interrupted

COMMANDS = {
    "replay": ("streamer.cli.replay", "Play a video at the camera's pace through one engine, and measure."),
    "soak": ("streamer.cli.soak", "A replay for hours, with a verdict on drift, leaks, losses and answers."),
    "compare": (
        "streamer.cli.compare",
        "The same frames through several engines: which is faster, and how sure is that.",
    ),
    "pace": ("streamer.cli.pace", "An engine at several frame rates: how latency depends on the pace."),
    "bench": ("streamer.cli.bench", "The tutorial's closed loop: one image, many inferences in a row."),
    "parity": ("streamer.cli.parity", "Compare the engines' detections with each other, and with ground truth."),
    "verify": ("streamer.cli.verify", "Work out a finished run's figures again: VALID or INVALID, and why."),
    "engines": ("streamer.cli.engines", "List the engine variants, and whether each can run here."),
    "devices": ("streamer.cli.devices", "Show OpenVINO's devices and the machine's state."),
    "models": ("streamer.cli.models", "List, import, export and pull models."),
    "sample": ("streamer.cli.sample", "Write a clip of the synthetic street, with its ground truth."),
}
"""Each command's module, and its line in ``streamer --help``."""


class Commands(LazyGroup):
    """The commands of ``streamer``."""

    table = COMMANDS


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Shell completion: eval "$(_STREAMER_COMPLETE=bash_source streamer)" (or zsh_source, fish_source).',
)
@click.version_option(__version__, message="streamer %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def group(debug: bool) -> None:
    """Know what latency a camera application really has on this machine.

    streamer plays a video at a fixed frame rate through source, preprocess, infer and sink, and accounts for every
    frame: from the instant it was due to its boxes and to the annotated video.

    \b
    Examples:
      streamer replay video.mp4
      streamer replay video.mp4 --engine onnx --fps 30 --model mine.onnx
      streamer compare video.mp4 --engine ir-auto-shared --engine ir-fast
      streamer engines
    """


LASTING = 50_000
"""Objects after which Python collects garbage: those of the start stay, and looking through them takes time."""


def main() -> None:
    """Runs the command line and exits with its code, one of EXIT_CODES."""
    gc.set_threshold(LASTING)
    if "_STREAMER_COMPLETE" in os.environ:
        from streamer.cli.completion import teach_bash

        teach_bash()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may hold bytes that are no letters
    with watched_streams() as out:
        code = _written(_ended(), out)
    _end(code)


def _ended() -> Any:
    """Runs the command line; returns the code or the message that it ended with."""
    try:
        with obeyed_signals():
            try:
                _run()
            except SystemExit:
                sys.stdout.flush()  # while signals are obeyed: the reader may not read
                raise
    except Interrupted as interrupted:
        return exit_of_signal(interrupted.reason)
    except SystemExit as ended:
        return ended.code


def _written(code: Any, out: Watched) -> Any:
    """The exit code: EXIT_FAILED in place of 0 when standard output could not be written whole."""
    if out.failure is None:
        return code
    _say(f"cannot write to standard output: {out.failure}; the text there is incomplete, the files are complete")
    return code or EXIT_FAILED


def _end(code: Any) -> NoReturn:
    """Ends the process without waiting for a worker that hangs; a runtime's own clean-up would wait for it."""
    if not any(thread.name.startswith("streamer ") for thread in threading.enumerate()):
        sys.exit(code)
    from streamer.files.cache import remove_temporary  # not for --help

    remove_temporary()
    os._exit(code if isinstance(code, int) else EXIT_DONE)


def _run() -> None:
    # --debug is accepted after the command as well: that is where one adds it to a line that failed.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        code = group.main(arguments, prog_name="streamer", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(EXIT_SIGINT)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(EXIT_USAGE)
    except click.UsageError as error:
        _say(f"{error.format_message().rstrip('.')} (see {_help_of(error)})")
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        _say(error.format_message())
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            traceback.print_exc()
        from streamer.workers.defects import as_streamer_error  # not for --help

        failure = as_streamer_error(error)
        _say(str(failure))
        sys.exit(failure.exit_code)
    sys.exit(code if isinstance(code, int) else EXIT_DONE)


def _help_of(error: click.UsageError) -> str:
    return f"{error.ctx.command_path} --help" if error.ctx else "streamer --help"


def _say(message: str) -> None:
    from streamer.address import of_no_file  # not for --help

    for argument in sys.argv[1:]:  # as click quotes one that it does not understand
        if re.search("[@?]|://", argument) and not os.path.lexists(argument):
            message = message.replace(argument, of_no_file(argument))
    click.echo(f"streamer: {message}", err=True)
