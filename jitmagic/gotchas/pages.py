"""The catalogue as documentation: a page a rule, made from the rule itself.

``python -m jitmagic.gotchas.pages docs/gotchas`` writes it; a test holds it against the rules.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from jitmagic.gotchas.diagnostic import SEVERITIES
from jitmagic.gotchas.registry import BACKENDS, Rule, all_rules, explain

_TITLES = {
    "numba": "Numba",
    "jax": "JAX",
    "torch": "PyTorch",
    "cupy": "CuPy",
    "all": "Measuring, devices and derivatives",
}


def pages() -> Mapping[str, str]:
    """Returns the text of every page by its file's name, the list of all among them."""
    made = {f"{code}.md": explain(code) for code in _own()}
    made["README.md"] = _index()
    return made


def _own() -> Mapping[str, Rule]:
    """Returns jitmagic's own rules: what other packages add is theirs to document."""
    return {code: one for code, one in all_rules().items() if not one.origin}


def _index() -> str:
    lines = [
        "# Gotchas",
        "",
        "Ways in which a NumPy function goes wrong when it is compiled. `jitmagic explain CODE` shows a page, and",
        "`jitmagic lint FILE` finds them in a source.",
    ]
    rules = _own()
    for backend in dict.fromkeys(BACKENDS.values()):
        lines += ["", f"## {_TITLES[backend]}", "", "| code | what happens | severity |", "|---|---|---|"]
        mine = [one for one in rules.values() if one.backend == backend]
        for one in sorted(mine, key=lambda one: (SEVERITIES.index(one.severity), one.code)):
            lines.append(f"| [{one.code}]({one.code}.md) | {one.title} | {one.severity} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the pages into the folder that is named, and removes those of rules that are gone."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
