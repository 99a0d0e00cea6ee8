"""docs/howto/containers.md agrees with the image's user, with streamer's options, and with its doubts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import yaml  # type: ignore[import-untyped]

from streamer.cli.main import group
from streamer.machine.contention import ContentionMeter, Reading
from streamer.machine.info import this_machine
from streamer.run.doubts import doubts
from streamer.run.facts import Contention
from tests.facts import observed, set_up
from tests.install.containerfile import instructions
from tests.runs import ROOT

HOWTO = (ROOT / "docs" / "howto" / "containers.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(yaml|ini)\n(.*?)^```$", HOWTO, re.MULTILINE | re.DOTALL))
IMAGE = dict(instructions((ROOT / "Containerfile").read_text(encoding="utf-8")))


def options_of(name: str) -> set[str]:
    """The options of one of streamer's commands."""
    command = group.get_command(group.make_context("streamer", ["devices"]), name)
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts}


def test_the_doubts_it_quotes_are_those_of_a_run() -> None:
    limited = replace(this_machine(), cores=8, usable_cores=2, cpu_quota=1.5, governor="powersave")
    meter = ContentionMeter(Reading(0, 0, 0, 0, 0, 0))
    meter.sampled(100_000_000, Reading(100, 0, 82, 10, 40, 0))
    sentences = doubts(observed(set_up(machine=limited.as_dict()), contention=Contention.seen_by(meter)))
    assert len(sentences) == 5
    assert [doubt for doubt in sentences if f"`{doubt}`" not in HOWTO] == []


def test_the_job_runs_as_the_images_user_on_a_root_that_cannot_be_written() -> None:
    job: dict[str, Any] = yaml.safe_load(BLOCKS["yaml"])
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    user = pod["securityContext"]
    assert user["runAsNonRoot"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == IMAGE["USER"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["resources"]["limits"]["cpu"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", "/cache", "/runs"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert {word for word in container["args"] if word.startswith("--")} <= options_of("replay")


def test_podman_maps_the_caller_to_the_images_user() -> None:
    uid, gid = IMAGE["USER"].split(":")
    assert f"--userns keep-id:uid={uid},gid={gid}" in HOWTO


def test_the_unit_begins_and_resumes_a_soak_by_its_own_options() -> None:
    used = set(re.findall(r"--[a-z]+", BLOCKS["ini"]))
    assert used == {"--resume", "--duration", "--out"}
    assert used <= options_of("soak")
