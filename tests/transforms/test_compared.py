"""A transformation from end to end, with backends whose variants the test writes: verified, refused, in doubt."""

from dataclasses import dataclass

import numpy as np
import pytest

import jitmagic
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import ModuleText
from jitmagic.report.record import dump, load
from tests.fakes import FakeBackend
from tests.transforms import programs

X = np.linspace(-1.0, 2.0, 7)
CUBE = "import numpy as np\ndef fn(x):\n    return {}\n"


@dataclass
class Deriving(FakeBackend):
    """A backend that has what is asked for, as the test writes it."""

    def transformed(self, asked, workload, observed):
        return [
            Draft(name, self.name, "fake", "given", ModuleText(text, (None,) * text.count("\n")), "fn")
            for name, text in self.sources.items()
        ]


def cube(x):
    return np.sum(x**3)


def compared(function, *args, budget=0.2, **asked):
    result = jitmagic.compare(function, *args, budget=budget, **asked)
    return load(dump(result.record)), result


def test_a_right_derivative_is_verified_and_timed_and_a_wrong_one_is_not(use_backends):
    right, wrong = CUBE.format("3 * x**2"), CUBE.format("3 * x**2 + 1e-5")
    use_backends(Deriving("one", {"right": right, "wrong": wrong}))
    record, result = compared(cube, X, grad="x")
    found = {one["name"]: one for one in record["variants"]}
    assert (found["right"]["verified"], found["right"]["verdict"]) == (True, "faster")
    assert found["right"]["speedup"]["median"] > 1
    assert (found["wrong"]["verified"], found["wrong"]["verdict"]) == (False, "differs")
    assert found["wrong"].get("speedup") is None
    assert record["workload"]["name"] == "cube_grad"
    assert record["workload"]["call"] == "cube_grad(x)"
    told = record["transform"]
    assert (told["kind"], told["argument"], told["function"], told["undecided"]) == ("grad", "x", "cube", 0)
    assert told["uncertainty"] < 1e-7
    assert told["baseline_error"] < 1e-7
    assert record["options"]["transform"] == "--grad x"
    np.testing.assert_allclose(result["numpy"].build()(X), 3 * X**2, atol=1e-6)


def test_the_views_say_what_was_compared(use_backends):
    use_backends(Deriving("one", {"right": CUBE.format("3 * x**2")}))
    _, result = compared(cube, X, grad="x")
    assert "central differences in NumPy, with steps of 6e-06 of x" in " ".join(str(result).split())
    assert "sure to" in " ".join(str(result).split())
    assert "central differences in NumPy" in result.to_html()


def test_at_a_kink_nothing_is_verified_and_the_two_sides_are_told(use_backends):
    use_backends(Deriving("one", {"zero": CUBE.format("(x > 0) * 1.0"), "wrong": CUBE.format("(x > 0) * 2.0")}))
    record, result = compared(programs.relu, np.array([-1.0, 0.0, 2.0]), grad="x")
    found = {one["name"]: one for one in record["variants"]}
    assert (found["zero"]["verdict"], found["zero"]["verified"]) == ("not verified", None)
    assert found["zero"].get("speedup") is None
    assert "at result[1] the function has a kink, with" in found["zero"]["reason"]
    assert "1 to the other" in found["zero"]["reason"]
    assert found["wrong"]["verdict"] == "differs"
    assert (record["transform"]["undecided"], record["transform"]["entries"]) == (1, 3)
    assert record["recommendation"]["variant"] == "numpy"
    kinks = [one for one in record["gotchas"] if one["code"] == "AD-KINK"]
    assert [one["status"] for one in kinks] == ["confirmed"]
    assert "gives 0" in found["zero"]["reason"]
    assert "cannot be told with these arguments" in " ".join(str(result).split())


def test_a_flat_function_verifies_nothing(use_backends):
    use_backends(Deriving("one", {"zero": CUBE.format("x * 0.0")}))
    record, _ = compared(programs.rounded, X + 0.013, grad="x")
    assert record["variants"][0]["verdict"] == "not verified"
    assert "flat" in record["variants"][0]["reason"]
    assert [one["code"] for one in record["gotchas"]].count("AD-FLAT") == 1


def test_what_does_not_derive_says_so(use_backends):
    use_backends(FakeBackend("plain", {"plain": CUBE.format("x")}))
    record, _ = compared(cube, X, grad="x")
    assert [(one["name"], one["verdict"]) for one in record["variants"]] == [("plain", "unsupported")]
    assert "does not derive" in record["variants"][0]["reason"]
    record, _ = compared(cube, X.reshape(7, 1), vmap="x")
    assert "nothing that makes a batch" in record["variants"][1]["reason"]


def test_rules_for_derivatives_are_silent_where_none_was_asked_for(use_backends):
    use_backends(FakeBackend("plain", {}))
    record, _ = compared(programs.relu, X)
    assert record["transform"] is None
    assert [one["code"] for one in record["gotchas"] if one["code"].startswith("AD")] == []


def test_a_batch_is_held_against_the_loop_and_probed(use_backends):
    batch = np.arange(12.0).reshape(4, 3)
    right = "import numpy as np\ndef fn(row, k):\n    return np.cumsum(row, axis=0).T * k\n"
    use_backends(Deriving("one", {"right": right, "wrong": right.replace("axis=0", "axis=1").replace(".T", "")}))
    record, _ = compared(programs.shifted, batch, 2.0, vmap="row:1")
    found = {one["name"]: one for one in record["variants"]}
    assert found["right"]["verified"] is True
    assert found["right"]["probes"]
    assert found["wrong"]["verdict"] == "differs"
    assert record["transform"]["axis"] == 1
    assert "calls shifted for each slice of row along axis 1" in record["transform"]["baseline"]


@pytest.mark.parametrize("flag", ["--grad x", "--jacobian x", "--hessian x", "--vmap x:0"])
def test_the_magic_and_the_shell_take_the_same(flag, use_backends, tmp_path, capsys):
    from jitmagic.cli import main
    from jitmagic.magic.options import read

    kind, value = flag[2:].split()
    settings = read(f"{flag} fn(x)").settings
    assert settings[kind] in (value, value.removesuffix(":0"))
    use_backends(Deriving("one", {}))
    file = tmp_path / "model.py"
    file.write_text("import numpy as np\ndef fn(x):\n    return np.sum(x * x)\nfn(np.ones((3, 2)))\n")
    out = tmp_path / "out.json"
    assert main(["compare", str(file), *flag.split(), "--budget", "0.1", "-q", "--json", str(out)]) == 0
    record = load(out.read_text())
    assert record["transform"]["kind"] == kind
    assert main(["compare", str(file), f"--{kind}", "y", "-q"]) == 2
    assert "has no argument `y`" in capsys.readouterr().err


def test_a_cell_and_a_line_in_a_notebook(use_backends, tmp_path, monkeypatch):
    pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "jitmagic")
    use_backends(Deriving("one", {"right": CUBE.format("3 * x**2")}))
    cell = "%%jitcompare --grad x --budget 0.1 -v c\nimport numpy as np\ndef cube(x):\n    return np.sum(x**3)\n"
    try:
        with capture_output() as shown:
            assert shell.run_cell(cell + "x = np.arange(3.0)\ncube(x)").success
            assert shell.run_cell("d = %jitcompare --hessian x --budget 0.1 -o cube(x)").success
            refused = shell.run_cell("%jitcompare --grad y cube(x)")
        assert shell.user_ns["c"]["right"].verified is True
        assert shell.user_ns["d"].record["transform"]["kind"] == "hessian"
        assert "cube_grad(x)" in str([one.data["text/plain"] for one in shown.outputs])
        assert "has no argument `y` in this call; it has x" in str(refused.error_in_exec)
    finally:
        shell.run_line_magic("unload_ext", "jitmagic")
        InteractiveShell.clear_instance()
