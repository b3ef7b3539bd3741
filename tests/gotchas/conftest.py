"""What the rule tests share: run a function, find its gotchas, and compare the places with the source's text."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
