"""What a container or a batch system allows this process: the control groups of Linux, version 2 and 1 (cgroups(7))."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def folders(controller: str, root: Path = _ROOT, own: Path = _OWN) -> Iterator[Path]:
    """Yields the folders that hold this process's limits for a controller: its own group's, then those above it.

    A limit anywhere on the way binds. In a container the groups are often seen from its own root: what is not there is
    left out.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    seen: set[Path] = set()
    for line in lines:
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number == "0" and not names:
            base = root
        elif controller in names.split(","):
            base = next((root / one for one in (names, controller) if (root / one).is_dir()), root / controller)
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), -1, -1):
            folder = base.joinpath(*parts[:depth])
            if folder not in seen and folder.is_dir():
                seen.add(folder)
                yield folder


def cpu_limit(root: Path = _ROOT, own: Path = _OWN) -> float | None:
    """Returns how many CPUs' time the processes of this group may use together; None where nothing limits them."""
    found = []
    for folder in folders("cpu", root, own):
        quota, period = _numbers(folder / "cpu.max", 2) or (
            *(_numbers(folder / "cpu.cfs_quota_us", 1) or (None,)),
            *(_numbers(folder / "cpu.cfs_period_us", 1) or (None,)),
        )
        if quota is not None and period and quota > 0:
            found.append(quota / period)
    return min(found, default=None)


def throttled(root: Path = _ROOT, own: Path = _OWN) -> float | None:
    """Returns the seconds that this group's limit has held its processes back so far; None where that is not told."""
    for folder in folders("cpu", root, own):
        fields = _fields(folder / "cpu.stat")
        if "throttled_usec" in fields:
            return fields["throttled_usec"] * 1e-6
        if "throttled_time" in fields:
            return fields["throttled_time"] * 1e-9
    return None


def free_memory(root: Path = _ROOT, own: Path = _OWN) -> int | None:
    """Returns the bytes that this group may still take; None where nothing limits it."""
    found = []
    for folder in folders("memory", root, own):
        for limit_name, used_name in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            limit, used = _numbers(folder / limit_name, 1), _numbers(folder / used_name, 1)
            # pages of files that can be dropped count as used, and are not in the way
            cache = _fields(folder / "memory.stat").get("inactive_file", 0)
            if limit and used and limit[0] is not None and used[0] is not None:
                found.append(max(int(limit[0] - used[0] + cache), 0))
    return min(found, default=None)


def _numbers(path: Path, count: int) -> tuple[float | None, ...] | None:
    """Reads numbers from a line; "max" is None."""
    try:
        words = path.read_text().split()[:count]
        return tuple(None if word == "max" else float(word) for word in words) if len(words) == count else None
    except (OSError, ValueError):
        return None


def _fields(path: Path) -> dict[str, float]:
    try:
        pairs = (line.split() for line in path.read_text().splitlines())
        return {pair[0]: float(pair[1]) for pair in pairs if len(pair) == 2}
    except (OSError, ValueError):
        return {}
