"""The spans of ast expressions are those that LibCST's PositionProvider gives."""

import ast

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from jitmagic.observe.facts import Span
from jitmagic.observe.spans import SpanMap

SOURCES = [
    "y = x + 1\n",
    "y = (a) + (b)\n",
    "y = ((a + b)) * c\n",
    "y = (1, x, )\n",
    "y = ( 1 , x )\n",
    "y = 1,\n",
    "y = a, (b, c)\n",
    "y = (1, # one\n  2,\n  # end\n )\n",
    "y = (  # c\n a, b  )\n",
    "y = ((1, 2))\n",
    "y = ((a), (b))\n",
    "y = (a), (b)\n",
    "f( x for x in y )\n",
    "f((x for x in y))\n",
    "z = ( ( x ) for x in (y) )\n",
    "x[(1, 2)] = y[1:n, ::2, None, ...]\n",
    "x[i, j] += x[i][j]\n",
    "x[ (i) ] = -1\n",
    "y = a if (b) else (c)\n",
    "y = (a and b) or not c\n",
    "y = a < b <= (c)\n",
    "y = [ (i, j) for i, j in (a, b) if (i) ]\n",
    "y = {k: (v) for k, v in d.items()}\n",
    "y = {a, (b)}\n",
    "y = {**d, 'k': (v)}\n",
    "y = lambda u, v=(1, w): (u, v)\n",
    "(y := f(x, *(a, b), k=(c), **d))\n",
    "y = np.linalg.norm(x - x.mean(axis=0)[None, :], axis=(0, 1))\n",
    "é = ü + 'ß' + f(ж[0], (ш, щ))\n",
    "y = ('é', x)\n",
    "def f(ä, b: int = (n), *args, c=1, **kw):\n    return (ä, b)\n",
    "def f(x):\n\tif (x):\n\t\treturn ( x + 1 )\n",
    "y = (a\n     + b *\n     (c - d))\n",
    "y = a \\\n    + b\n",
    "for i, (j, k) in enumerate( zip(a, b) ):\n    pass\n",
    "with open(f) as (g): pass\n",
    "y = x @ w ** -2\n",
    "y = s.join(('a', t))\n",
    "y = ()\ny = ( )\n",
    "print(f'{x}', (y), ((x, y)))\n",
    "y = (yield_ (x))((a, b))\n",
    "y = a; z = (b, c)\r\nw = (d, e)\r\n",
]
UNWATCHED = (ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.Starred, ast.Slice)


def cst_spans(source: str) -> set[Span]:
    positions = MetadataWrapper(cst.parse_module(source)).resolve(PositionProvider)
    return {
        Span(p.start.line, p.start.column, p.end.line, p.end.column)
        for node, p in positions.items()
        if isinstance(node, cst.BaseExpression)
    }


def inner_nodes(source: str) -> list[ast.expr | ast.arg]:
    tree = ast.parse(source)
    indices = {node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    in_strings = {inner for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for inner in ast.walk(node)}
    spans = SpanMap(source)
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.expr | ast.arg)
        and not isinstance(node, UNWATCHED)
        and node not in in_strings
        # `x[i, j]` is a tuple for ast only
        and not (node in indices and isinstance(node, ast.Tuple) and not spans.parenthesised(node))
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_every_ast_expression_has_the_span_of_its_libcst_node(source: str) -> None:
    spans, known = SpanMap(source), cst_spans(source)
    nodes = inner_nodes(source)
    assert nodes
    missing = [(ast.unparse(node), spans.of(node)) for node in nodes if spans.of(node) not in known]
    assert missing == []


def test_the_spans_of_this_file_and_of_the_package_agree() -> None:
    from pathlib import Path

    import jitmagic.observe

    for path in [Path(__file__), *Path(jitmagic.observe.__file__).parent.glob("*.py")]:
        source = path.read_text(encoding="utf-8")
        spans, known = SpanMap(source), cst_spans(source)
        assert [node.lineno for node in inner_nodes(source) if spans.of(node) not in known] == [], path


def test_columns_are_characters_and_not_bytes() -> None:
    node = ast.parse("y = 'ééé' + x\n").body[0].value.right  # type: ignore[attr-defined]
    assert SpanMap("y = 'ééé' + x\n").of(node) == Span(1, 12, 1, 13)
