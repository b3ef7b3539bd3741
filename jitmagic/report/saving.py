"""Keeps records as files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jitmagic.report.record import dump

_LONGEST_NAME = 60


def save(record: Mapping[str, Any], where: str | os.PathLike[str]) -> Path:
    """Writes a record to a file, or into a folder under a name of its own, and returns the file's path.

    Parameters
    ----------
    where : path
        A folder that exists, or a path that ends in a separator (the folder is then made): the file is named after the
        function and the time, ``fn-20261122-143005.json``, and takes no other's place. Any other is the file itself.

    Raises
    ------
    OSError
        It cannot be written.
    """
    path = Path(where)
    text = dump(record) + "\n"
    if not (path.is_dir() or str(where).endswith(("/", os.sep))):
        part = path.with_name(f"{path.name}.part")
        part.write_text(text, encoding="utf-8")
        # the file is whole or not there
        part.replace(path)
        return path
    path.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "_", record["workload"]["name"])[:_LONGEST_NAME] or "comparison"
    when = re.sub(r"[^0-9]", "", str(record["created"]).partition("+")[0])[:14]
    stem = f"{name}-{when[:8]}-{when[8:]}".rstrip("-")
    number = 1
    while True:
        file = path / f"{stem}{f'-{number}' if number > 1 else ''}.json"
        try:
            with file.open("x", encoding="utf-8") as opened:
                opened.write(text)
        except FileExistsError:
            number += 1
        else:
            return file
