"""The actors on the street at any time: strips of slots that move along it.

A strip is a lane, a row of parked cars or a line of walkers: slots of equal length that move at one speed. The
occupants of slot k follow from (seed, strip, k) alone: any instant can be computed, in any order, in constant memory.
Within a strip nobody overtakes, and everybody keeps inside the slot, so nobody drives through another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import TypeAlias

import numpy as np

from streamer.street import pedestrians, vehicles
from streamer.street.projection import View
from streamer.street.solids import Solid

PERSON, BICYCLE, CAR, BUS, TRUCK, DOG = 0, 1, 2, 5, 7, 16
"""COCO's class ids (of 80, from 0) of the actors."""

Look: TypeAlias = Solid | pedestrians.Figure


@dataclass(frozen=True)
class Strip:
    """A line of slots along the street at ``z``; the speed is signed, ``chance`` is the share of slots in use."""

    number: int
    kind: str
    z: float
    speed_m_s: float
    slot_m: float
    chance: float


@dataclass(frozen=True)
class Member:
    """One actor in a slot: ``x_m`` from the slot's start, ``dz_m`` from the strip's middle, and its looks."""

    class_id: int
    x_m: float
    dz_m: float
    look: Look
    heading: int


@dataclass(frozen=True)
class Actor:
    """A member at an instant: its place on the ground, and a number that stays its own."""

    member: Member
    object_id: int
    x: float
    z: float
    speed_m_s: float
    travelled_m: float


@dataclass(frozen=True)
class Layout:
    """The street's cross-section, in metres from the camera's foot: its edges, and the strips between them."""

    kerb_near: float
    kerb_far: float
    facade: float
    lane_edges: tuple[float, ...]
    strips: tuple[Strip, ...]


def lay_out(seed: int, view: View) -> Layout:
    """The street of a seed, with slots so long that any view has about as many actors."""
    rng = np.random.default_rng([seed, 2])
    strips: list[Strip] = []

    def strip(kind: str, z: float, speed: float, in_view: float, least_m: float, chance: float) -> None:
        low, high = view.reach(z)
        strips.append(Strip(len(strips), kind, z, speed, max((high - low) / in_view, least_m), chance))

    def walk() -> float:
        return float(rng.uniform(0.9, 1.6))

    kerb = view.camera.setback_m + 3.2
    strip("walk", kerb - 2.3, walk(), rng.uniform(0.8, 0.95), 3.2, 0.95)
    strip("walk", kerb - 1.1, -walk(), rng.uniform(0.9, 1.05), 3.2, 0.95)
    strip("cycle", kerb + 0.8, rng.uniform(3.0, 6.0), rng.uniform(0.6, 1.0), 3.5, 0.9)
    lanes = int(rng.integers(2, 5))
    edges = [kerb + 1.7 + 3.1 * lane for lane in range(lanes + 1)]
    flow = rng.uniform(6.0, 12.0)
    for lane, z in enumerate(edges[:-1]):
        way = 1 if lane < (lanes + 1) // 2 else -1
        # Hardly any bus or truck in the nearest lane: it would hide the whole street.
        kind = "lane" if lane else "near lane"
        strip(kind, z + 1.55, way * flow * rng.uniform(0.75, 1.2), rng.uniform(4.0, 5.4) / lanes, 13.5, 0.9)
    strip("cycle", edges[-1] + 0.7, -rng.uniform(3.0, 6.0), rng.uniform(1.1, 1.6), 3.5, 0.9)
    parking = edges[-1] + 2.7
    far = parking + 1.3
    strip("parking", parking, 0.0, rng.uniform(2.2, 3.4), 6.4, 0.85)
    strip("stand", far + 0.6, 0.0, rng.uniform(2.0, 2.6), 3.2, 0.95)
    strip("walk", far + 1.5, walk(), rng.uniform(1.3, 1.65), 3.2, 0.95)
    strip("walk", far + 2.7, -walk(), rng.uniform(1.3, 1.65), 3.2, 0.95)
    return Layout(kerb, far, far + 4.0, tuple(edges), tuple(strips))


def actors(seed: int, layout: Layout, view: View, seconds: float) -> list[Actor]:
    """The actors that may be in view after ``seconds``, the farthest first."""
    found: list[Actor] = []
    for strip in layout.strips:
        low, high = view.reach(strip.z, margin_m=6.0)
        shift = strip.speed_m_s * seconds
        for slot in range(floor((low - shift) / strip.slot_m), floor((high - shift) / strip.slot_m) + 1):
            for number, member in enumerate(occupants(seed, strip, slot)):
                x = slot * strip.slot_m + member.x_m + shift
                object_id = ((strip.number << 36) + (slot & 0xFFFFFFFF)) * 8 + number
                travelled = abs(shift) + member.x_m
                found.append(Actor(member, object_id, x, strip.z + member.dz_m, strip.speed_m_s, travelled))
    return sorted(found, key=lambda actor: (-actor.z, -abs(actor.x)))


@lru_cache(maxsize=256)
def occupants(seed: int, strip: Strip, slot: int) -> tuple[Member, ...]:
    """The occupants of a slot of a strip: nobody, one, or a group."""
    rng = np.random.default_rng([seed, 3, strip.number, slot & 0xFFFFFFFF])
    if rng.random() > strip.chance:
        return ()
    heading = (1 if strip.speed_m_s > 0 else -1) if strip.speed_m_s else int(rng.choice((-1, 1)))
    if strip.kind in ("lane", "near lane", "parking"):
        return (_vehicle(rng, strip, heading, slot),)
    start = rng.uniform(0.8, strip.slot_m - 2.0)
    if strip.kind == "cycle":
        return tuple(_cyclist(rng, start, heading))
    if strip.kind == "stand" and rng.random() < 0.3:
        return (_bicycle(rng, start, 0.0, heading),)
    return tuple(_group(rng, start, heading))


MAKES = {CAR: vehicles.car, BUS: vehicles.bus, TRUCK: vehicles.truck}


def _vehicle(rng: np.random.Generator, strip: Strip, heading: int, slot: int) -> Member:
    kind = _vehicle_kind(rng.random(), strip, slot)
    solid = MAKES[kind](rng)
    room = strip.slot_m - solid.length_m - 1.0
    return Member(kind, solid.length_m / 2 + 0.5 + rng.random() * room, 0.0, solid, heading)


def _vehicle_kind(chance: float, strip: Strip, slot: int) -> int:
    if strip.kind == "parking":
        return CAR if chance < 0.8 or strip.slot_m < 9.3 else TRUCK
    if slot % 2:
        # Every other slot is for cars: two buses in a row are a wall.
        return CAR
    cars, buses = (0.88, 0.94) if strip.kind == "near lane" else (0.1, 0.55)
    return CAR if chance < cars else BUS if chance < buses else TRUCK


def _bicycle(rng: np.random.Generator, x: float, dz: float, heading: int) -> Member:
    frame = pedestrians.FRAMES[rng.integers(len(pedestrians.FRAMES))]
    return Member(BICYCLE, x, dz, pedestrians.BicycleLook(frame), heading)


def _cyclist(rng: np.random.Generator, x: float, heading: int) -> Iterator[Member]:
    """A bicycle and its rider, who is a little nearer and so painted later."""
    yield _bicycle(rng, x, 0.05, heading)
    yield Member(PERSON, x, 0.0, pedestrians.PersonLook.draw(rng, riding=True), heading)


def _group(rng: np.random.Generator, x: float, heading: int) -> Iterator[Member]:
    """One to three people, perhaps with a dog a step ahead."""
    for number in range(int(rng.choice((1, 2, 3), p=(0.55, 0.42, 0.03)))):
        place = x + number * rng.uniform(0.2, 0.6)
        yield Member(PERSON, place, rng.uniform(-0.3, 0.3), pedestrians.PersonLook.draw(rng), heading)
    if rng.random() < 0.38:
        coat = pedestrians.COATS[rng.integers(len(pedestrians.COATS))]
        ahead, aside = x + heading * rng.uniform(1.0, 1.5), rng.uniform(-0.4, -0.2)
        yield Member(DOG, ahead, aside, pedestrians.DogLook(coat, rng.uniform(0.85, 1.25)), heading)
