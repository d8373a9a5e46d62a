"""Expressions that are null where Spark would fail: one row must not stop a drop."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

_SPARK = Dialect.get_or_raise("spark")


def without_failures(tree: exp.Expr) -> exp.Expr:
    """The expression with each part, from the innermost on, as ``_never_failing`` says."""
    for node in reversed(list(tree.walk())):
        changed = _never_failing(node)
        if node is tree:
            return changed
        if changed is not node:
            node.replace(changed)
    return tree


def _never_failing(node: exp.Expr) -> exp.Expr:
    """A part of an expression -> one that is null where Spark would fail: one row must not stop a drop."""
    tried: dict[type[exp.Expr], str] = {
        exp.Add: "try_add",
        exp.Sub: "try_subtract",
        exp.Mul: "try_multiply",
        exp.Div: "try_divide",
    }
    if type(node) in tried:
        return exp.Anonymous(this=tried[type(node)], expressions=[node.this, node.expression])
    if isinstance(node, exp.Mod):
        return exp.Anonymous(this="try_mod", expressions=[node.this, node.expression])
    if isinstance(node, exp.IntDiv):
        return exp.IntDiv(this=node.this, expression=exp.Nullif(this=node.expression, expression=exp.Literal.number(0)))
    if isinstance(node, exp.Neg) and not isinstance(node.this, exp.Literal):
        return exp.Anonymous(this="try_subtract", expressions=[exp.Literal.number(0), node.this])
    if isinstance(node, exp.Abs):
        negative = exp.LT(this=node.this.copy(), expression=exp.Literal.number(0))
        turned = exp.Anonymous(this="try_subtract", expressions=[exp.Literal.number(0), node.this.copy()])
        return exp.If(this=negative, true=turned, false=node.this)
    if isinstance(node, exp.Cast) and not isinstance(node.this, exp.Literal):
        return exp.TryCast(this=node.this, to=node.args["to"], safe=True)
    if isinstance(node, exp.Bracket):
        return exp.Anonymous(this="get", expressions=[node.this, *node.expressions])
    if isinstance(node, exp.StrToTime):
        return _with_format(node, "try_to_timestamp")
    if isinstance(node, exp.TsOrDsToDate) and node.args.get("format"):
        return _with_format(node, "try_to_date")
    return node


def _with_format(node: exp.Expr, function: str) -> exp.Expr:
    """A function of (text, format) under another name: sqlglot keeps formats in letters of its own."""
    written = _SPARK.generator().format_time(node)
    return exp.Anonymous(this=function, expressions=[node.this, exp.Var(this=written)])
