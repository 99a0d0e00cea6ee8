"""Doubts about the machine and the engine: what they did during the run that was not requested.

Each is a row of `DOUBTS`, as those about the figures are.
"""

from __future__ import annotations

from streamer.engines.config import PRECISION
from streamer.machine.contention import OTHERS_CORES, STOLEN_CORES
from streamer.run.answer import CATCHING_UP
from streamer.run.facts import Facts


def of_suspensions(facts: Facts) -> list[str]:
    """The process did not run for a while."""
    found = None if facts.observed is None else facts.observed.suspensions
    if found is None:
        return []
    first, count = found["each"][0], found["count"]
    at = f"from {first['at_ms'] / 1000:.1f} s on"
    if count > 1:
        at = f"in {count} stretches, the first {at}, the longest of {found['longest_s']:.1f} s"
    slept = sum(one["asleep"] for one in found["each"])
    why = "the machine slept" if slept == count else "it was stopped, as by Ctrl-Z"
    if 0 < slept < count:
        why = "it was stopped, as by Ctrl-Z, or the machine slept"
    return [
        f"the process did not run for {found['total_s']:.1f} s, {at}: {why}; "
        "frames that were lost or late for that tell nothing of engine and machine"
    ]


def suspended_share(facts: Facts) -> float:
    """The share of the run in which the process did not run, or caught up: as long again."""
    found = None if facts.observed is None else facts.observed.suspensions
    return (
        0.0
        if found is None or not facts.duration_us
        else CATCHING_UP * found["total_s"] * 1_000_000 / facts.duration_us
    )


def of_the_load(facts: Facts) -> list[str]:
    """The load did not do what was requested."""
    return [] if facts.observed is None else list(facts.observed.load_doubts)


def of_the_machine(facts: Facts) -> list[str]:
    """A quota, a governor, or contention beside the requested load."""
    if facts.observed is None:
        return []
    found = []
    machine, contention = facts.setup["machine"], facts.observed.contention
    cores = machine["usable_cores"]
    if machine["cpu_quota"] is not None and machine["cpu_quota"] < machine["cores"]:
        found.append(
            f"a quota allows {machine['cpu_quota']:g} of {machine['cores']} cores: frames stall when it is used up"
        )
    if machine["governor"] not in (None, "performance"):
        found.append(f"the CPU governor is {machine['governor']}: {cores} cores slow down while frames are awaited")
    if (others := contention.others_cores - facts.observed.load_cores) >= OTHERS_CORES:
        found.append(f"other processes took {others:.2f} of {cores} cores during the run")
    if contention.stolen_cores >= STOLEN_CORES:
        found.append(f"the hypervisor took {contention.stolen_cores:.2f} of {cores} cores during the run")
    if contention.throttled:
        found.append(f"the CPU was throttled {contention.throttled} times during the run")
    return found


def of_the_engine(facts: Facts) -> list[str]:
    """The effective precision is not the requested one, or the devices changed."""
    if facts.observed is None:
        return []
    found = []
    engine = facts.setup["engine"]
    requested, effective = engine["config_requested"].get(PRECISION), engine["config_in_force"].get(PRECISION)
    if requested is not None and effective is not None and requested != effective:
        found.append(f"the effective precision is {effective}, requested was {requested}")
    found.extend(
        f"{', '.join(change.before)} handed over to {', '.join(change.after)} after {change.at_us / 1e6:.1f} s: "
        "run.json has statistics of each part"
        for change in facts.observed.device_changes
    )
    return found
