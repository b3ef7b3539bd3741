"""The module of the variants: the verified source, which runs where there is no jitmagic."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jitmagic.report import script_file
from tests.report import samples

BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "jitmagic":
            raise ImportError("jitmagic is not here")
sys.meta_path.insert(0, Blocked())
"""

TEXTS = '''import numpy as np
SIGN = """one
  two
three"""


def fn(x):
    """Adds.

    More.
    """
    return (x +
  1), SIGN
'''


def written(tmp_path: Path, record: dict[str, Any]) -> Path:
    path = tmp_path / "variants.py"
    path.write_text(script_file.to_script(record), encoding="utf-8")
    return path


def run(folder: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_sources(**sources: str) -> dict[str, Any]:
    record = samples.sample()
    record["variants"] = [samples.timed(name, 2.0, source=source) for name, source in sources.items()]
    record["recommendation"] = None
    return record


def test_it_runs_without_jitmagic(tmp_path: Path) -> None:
    written(tmp_path, samples.sample())
    code = """
import numpy as np, variants
x = np.arange(5, dtype="float32")
print(type(variants.fn(x)).__module__, np.array_equal(variants.fn(x), x + x*x + x*x*x))
numpy_fn = variants.load_variant("numpy")
print(np.array_equal(numpy_fn(x), variants.fn(x)), "torch" in sys.modules, "numba" in sys.modules)
try:
    variants.load_variant("fortran")
except ValueError as error:
    print(error)
"""
    first, second, third = run(tmp_path, code).splitlines()
    assert (first, second) == ("numpy True", "True False True")
    assert third == "there is no variant 'fortran'; there are numba-parallel, numpy, torch, jax, cupy"


def test_as_a_program_it_lists_the_variants(tmp_path: Path) -> None:
    path = written(tmp_path, samples.sample())
    listed = run(tmp_path, f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')")
    assert listed.splitlines()[0] == "* numba-parallel: ▲ faster, 5.8× NumPy's speed (5.6–6.0)"
    assert "≠ differs: the result is float64 where NumPy gives float32" in listed


def test_variants_share_no_names(tmp_path: Path) -> None:
    helper = "def helper(x):\n    return {0}\n\n\ndef fn(x):\n    return helper(x)\n"
    written(tmp_path, with_sources(a=helper.format(1), b=helper.format(2)))
    code = "import variants\na, b = variants.load_variant('a'), variants.load_variant('b')\nprint(a(0), b(0), a(0))"
    assert run(tmp_path, code).split() == ["1", "2", "1"]


def test_texts_of_several_lines_keep_their_lines(tmp_path: Path) -> None:
    written(tmp_path, with_sources(a=TEXTS))
    value, text = eval(run(tmp_path, "import variants\nprint(variants.load_variant('a')(1))"))
    assert (value, text) == (2, "one\n  two\nthree")


def test_f_strings_of_several_lines_keep_their_lines() -> None:
    source = 'x = 1\ntext = f"""a\n{x}\n  b"""\n'
    namespace: dict[str, Any] = {}
    exec("if True:\n" + "\n".join(script_file.indented(source)), namespace)
    assert namespace["text"] == "a\n1\n  b"


def test_the_statements_are_those_that_were_verified() -> None:
    record = samples.many()
    tree = ast.parse(script_file.to_script(record))
    [chain] = [node for node in tree.body if isinstance(node, ast.If) and "VARIANT ==" in ast.unparse(node.test)]
    found = {}
    while isinstance(chain, ast.If):
        found[ast.literal_eval(chain.test.comparators[0])] = ast.unparse(chain.body)  # type: ignore[attr-defined]
        chain = chain.orelse[0]
    for variant in [record["baseline"], *record["variants"]]:
        if variant["source"] and variant["name"] in found:
            source = ast.unparse(ast.parse(variant["source"]))
            # behind it may stand the binding of its entry to the function's name
            assert any(body.startswith(source) for body in found.values())


def test_imports_from_the_future_stand_first(tmp_path: Path) -> None:
    written(tmp_path, with_sources(a="from __future__ import annotations\n\n\ndef fn(x: nothing):\n    return x\n"))
    assert run(tmp_path, "import variants\nprint(variants.load_variant('a')(3))").strip() == "3"


def test_what_a_variant_needs_is_given_when_it_is_loaded(tmp_path: Path) -> None:
    record = with_sources(a="def fn(x):\n    return x + W\n")
    record["variants"][0]["needs"] = ["W"]
    path = written(tmp_path, record)
    assert "# needs W: set them in this module, or give them to load_variant()" in path.read_text()
    assert run(tmp_path, "import variants\nprint(variants.load_variant('a', W=4)(3))").strip() == "7"


def test_an_entry_of_another_name_is_bound_to_the_functions(tmp_path: Path) -> None:
    record = with_sources(a="def fn_fast(x):\n    return x + 1\n")
    record["variants"][0]["entry"] = "fn_fast"
    written(tmp_path, record)
    assert run(tmp_path, "import variants\nprint(variants.load_variant('a')(3))").strip() == "4"


def test_hostile_strings_stay_in_comments_and_texts(tmp_path: Path) -> None:
    end = 'x"""\nimport os; print("ran")\n\'\'\' \\'

    def hostile(old: str, path: str) -> str:
        kept = path.endswith((".source", ".entry")) or path == ".workload.name"
        return old if kept else end + samples.HOSTILE + path

    path = written(tmp_path, samples.replace_strings(samples.sample(), hostile))
    assert "ran" not in run(tmp_path, "import variants").split()
    ast.parse(path.read_text(encoding="utf-8"))


def test_what_is_no_python_is_left_out() -> None:
    record = with_sources(a="def fn(:", b="def fn(x):\n    return x\n", c="x = '\0'")
    text = script_file.to_script(record)
    assert "'b':" in text
    assert "'a':" not in text
    assert "'c':" not in text


@pytest.mark.parametrize("name", ["no name", "class", "fn()"])
def test_a_function_without_a_name_is_refused(name: str) -> None:
    record = samples.sample()
    record["workload"]["name"] = name
    with pytest.raises(ValueError, match="is no function's name"):
        script_file.to_script(record)


def test_a_name_that_the_module_needs_is_refused() -> None:
    with pytest.raises(ValueError, match="uses the name VARIANT"):
        script_file.to_script(with_sources(a="VARIANT = 1\n\n\ndef fn(x):\n    return x\n"))


def test_a_comparison_writes_the_same() -> None:
    from jitmagic.comparison import Comparison
    from jitmagic.report import notebook_file, web_page

    record = samples.sample()
    comparison = Comparison(record)
    assert comparison.to_script() == script_file.to_script(record)
    assert comparison.to_notebook() == notebook_file.to_notebook(record)
    assert comparison.to_html(page=True)[:100] == web_page.to_page(record)[:100]
