"""``streamer devices``."""

from __future__ import annotations

import json

import click

from streamer.machine.info import this_machine


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print an object on standard output, and nothing else there.")
def command(as_json: bool) -> None:
    """Show OpenVINO's devices with their full names, and the machine's state.

    \b
    Examples:
      streamer devices
      streamer devices --json
    """
    from streamer.engines.openvino import devices

    found = devices()
    machine = this_machine()
    if as_json:
        click.echo(json.dumps({"devices": found, "machine": machine.as_dict()}, indent=2))
        return
    for name, full_name in found.items():
        click.echo(f"{name:12}{full_name}")
    quota = "no quota" if machine.cpu_quota is None else f"a quota of {machine.cpu_quota:g} cores"
    click.echo(f"{'cores':12}{machine.usable_cores} usable of {machine.cores}, {quota}")
    click.echo(f"{'governor':12}{machine.governor or 'not reported by this machine'}")
    click.echo(f"{'load':12}{'not reported by this machine' if machine.load is None else machine.load}")
    click.echo(
        f"{'memory':12}{'not reported by this machine' if machine.memory_mb is None else f'{machine.memory_mb} MB'}"
    )
    click.echo(f"{'system':12}{machine.system}, Python {machine.python}")
