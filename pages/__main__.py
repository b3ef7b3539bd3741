"""Writes every page of `docs/` that is made from the code: ``python -m pages``."""

from __future__ import annotations

from pages.made import FOLDER, outdated, write


def main() -> None:
    for name in outdated():
        print(FOLDER.name, name, sep="/")
    write()


if __name__ == "__main__":
    main()
