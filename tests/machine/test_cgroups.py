"""Quotas of control groups as the kernel tells of them: nested, of version 1 and 2, in containers and beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.machine.cgroups import Group, groups, quota

V2 = "30 23 0:26 {root} {mount} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
V1 = "32 31 0:29 {root} {mount} rw,relatime shared:11 - cgroup cgroup rw,cpu,cpuacct"


class Tree:
    """A hierarchy of groups, and the process's files in /proc that tell of it."""

    def __init__(self, folder: Path) -> None:
        self.mount, self.proc = folder / "cgroup", folder / "proc"
        self.mount.mkdir()
        self.proc.mkdir()

    def at(self, path: str, mountinfo: str, *, root: str = "/", own: str = "0::") -> list[Group]:
        (self.proc / "cgroup").write_text(f"4:memory:/elsewhere\n{own}{path}\n")
        line = mountinfo.format(root=root, mount=str(self.mount).replace(" ", "\\040"))
        (self.proc / "mountinfo").write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n{line}\n")
        return groups(self.proc)

    def limited(self, path: str, cpu_max: str) -> None:
        directory = self.mount / path
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "cpu.max").write_text(f"{cpu_max}\n")

    def limited_by_version_1(self, path: str, quota_us: int) -> None:
        directory = self.mount / path
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "cpu.cfs_quota_us").write_text(f"{quota_us}\n")
        (directory / "cpu.cfs_period_us").write_text("100000\n")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize(
    ("own", "above", "cores"),
    [
        ("max 100000", "150000 100000", 1.5),
        ("50000 100000", "150000 100000", 0.5),
        ("max 100000", "max 100000", None),
    ],
)
def test_the_smallest_quota_from_the_own_group_to_the_root_counts(
    tree: Tree, own: str, above: str, cores: float | None
) -> None:
    tree.limited("user.slice", above)
    tree.limited("user.slice/app.scope", own)
    found = tree.at("/user.slice/app.scope", V2)
    assert [group.directory for group in found] == [
        tree.mount / "user.slice" / "app.scope", tree.mount / "user.slice", tree.mount,
    ]  # fmt: skip
    assert quota(tuple(found)) == cores


def test_a_quota_of_another_branch_does_not_count(tree: Tree) -> None:
    tree.limited("system.slice", "50000 100000")
    tree.limited("user.slice", "max 100000")
    assert quota(tuple(tree.at("/user.slice", V2))) is None


def test_quotas_of_version_1_are_nested_too(tree: Tree) -> None:
    tree.limited_by_version_1("", -1)
    tree.limited_by_version_1("docker", 250_000)
    tree.limited_by_version_1("docker/abc", -1)
    assert quota(tuple(tree.at("/docker/abc", V1, own="3:cpu,cpuacct:"))) == 2.5


def test_of_a_container_that_sees_its_own_group_alone_that_counts(tree: Tree) -> None:
    tree.limited_by_version_1("", 200_000)
    tree.limited_by_version_1("part", 50_000)
    assert quota(tuple(tree.at("/docker/abc", V1, root="/docker/abc", own="3:cpu,cpuacct:"))) == 2.0
    assert quota(tuple(tree.at("/docker/abc/part", V1, root="/docker/abc", own="3:cpu,cpuacct:"))) == 0.5


def test_a_path_outside_what_is_mounted_leaves_the_mount(tree: Tree) -> None:
    tree.limited("", "100000 100000")
    assert quota(tuple(tree.at("/../../other", V2))) == 1.0
    assert quota(tuple(tree.at("/other", V2, root="/docker/abc"))) == 1.0


def test_a_hierarchy_without_the_cpu_tells_nothing(tree: Tree) -> None:
    assert tree.at("/", "33 31 0:30 {root} {mount} rw - cgroup cgroup rw,cpuset", own="3:cpuset:") == []


def test_a_mount_with_a_space_in_its_path_is_found(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    tree = Tree(tmp_path / "a b")
    tree.limited("", "300000 100000")
    assert quota(tuple(tree.at("/", V2))) == 3.0


def test_where_no_control_groups_are_there_is_no_quota(tmp_path: Path) -> None:
    assert groups(tmp_path) == []
    assert quota(()) is None


def test_throttling_of_each_group_on_the_path_counts(tree: Tree) -> None:
    for path, count in (("a", 40), ("a/b", 2)):
        tree.limited(path, "50000 100000")
        (tree.mount / path / "cpu.stat").write_text(f"usage_usec 9\nnr_periods 50\nnr_throttled {count}\n")
    assert sum(group.throttled() for group in tree.at("/a/b", V2)) == 42
