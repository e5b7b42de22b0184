"""A mutation run on the verifier: every rule removed or bent in turn has to be noticed by the damaged outcomes.

    python -m benchmarks.clearing.mutation [--list]

A mutant is the verifier with one change: a statement that reports a violation taken out, a condition made always or
never true, a comparison moved by one or turned round, one part of a condition left out, a smallest number taken for the
largest. It is caught if any case
of ``damages`` gets other codes than it deserves, or the mutant fails. Mutants that are the same verifier in other
words are listed with the reason. Exits 1 if any other survives.
"""

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import exchange.clearing
from benchmarks.clearing import damages

PACKAGE = "exchange.clearing"
FOLDER = Path(exchange.clearing.__path__[0])
MODULES = sorted(f"{PACKAGE}.{path.stem}" for path in FOLDER.glob("verify*.py"))
ENTRY = f"{PACKAGE}.verify"

_IDLE = "~np.isin(np.arange(len(claim.book.orders)), claim.traded.order)"
# Same verifier, other words: why nothing can tell, and what was changed.
EQUIVALENT = {
    change: reason
    for reason, changes in {
        "it only words a message": (
            "without `at` in `at or 'the document'`",
            "without `'the document'` in `at or 'the document'`",
            "always `least is None`",
            "never `least is None`",
            "IsNot in `least is None`",
        ),
        "who reads what is missing or no object reports it too": (
            "without `self.faults.append(f'{at}/{key} is missing')`",
            "without `self.faults.append(f\"{at or 'the document'} is not an object\")`",
        ),
        "the fault is already reported, and with it the claim is not looked at": (
            "without `price is None` in `t0 is None or t1 is None or price is None`",
            *(
                f"without `{part} is None` in "
                "`order is None or offer is None or t0 is None or (t1 is None) or (qty is None)`"
                for part in ("order", "offer", "qty")
            ),
        ),
        "an hourly order that pays too much in all does so in some slot": (
            "without `orders.block` in `orders.block & (paid > worth)`",
        ),
        "an hourly order has no hours to gain in": (f"without `claim.orders.block` in `claim.orders.block & {_IDLE}`",),
        "the fault is told twice, with the same code": ("without `priced` in `priced & (said >= 0)`",),
        "Python's integers say the same, more slowly": (
            "never `max(largest, *slots, -min(slots)) < FITS`",
            "LtE in `max(largest, *slots, -min(slots)) < FITS`",
        ),
        "only a million starts make two parts, and in one a block comes once; the tests make small parts": (
            "GtE in `most > self.surplus[block[begin]]`",
        ),
        "of all starts the best one is next to a bend": (
            *(f"{word} `len(every) <= 6 * len(claim.edges)`" for word in ("always", "never")),
            "Lt in `len(every) <= 6 * len(claim.edges)`",
        ),
    }.items()
    for change in changes
}

_BENT: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPPOSITE = {"minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    """One change of one module: of the ``place``-th node of its tree."""

    module: str
    line: int
    what: str
    original: ast.Module
    place: int
    change: "Change"

    def tree(self) -> ast.Module:
        """Return the changed module."""
        changed = copy.deepcopy(self.original)
        self.change(next(found for at, found in enumerate(ast.walk(changed)) if at == self.place))
        return ast.fix_missing_locations(changed)

    @property
    def removes_a_rule(self) -> bool:
        """Whether nothing but a report was taken out."""
        return self.what.startswith(("without `yield", "without `self.faults"))

    def __str__(self) -> str:
        return f"{self.module.rpartition('.')[2]}.py:{self.line}: {self.what}"


def mutants() -> Iterator[Mutant]:
    """Yield every mutant of every module of the verifier."""
    for module in MODULES:
        tree = ast.parse((FOLDER / f"{module.rpartition('.')[2]}.py").read_text(encoding="utf-8"))
        for place, node in enumerate(ast.walk(tree)):
            for what, change in _changes(node):
                yield Mutant(module, getattr(node, "lineno", 0), what, tree, place, change)


Change = Callable[[Any], None]


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Expr) and _reports(node.value):
        yield f"without `{ast.unparse(node)}`", _silence
    if isinstance(node, ast.If | ast.IfExp):
        for word, truth in (("always", True), ("never", False)):
            yield f"{word} `{ast.unparse(node.test)}`", partial(_decide, truth=truth)
    if isinstance(node, ast.comprehension):
        for index, test in enumerate(node.ifs):
            yield f"all, not only `{ast.unparse(test)}`", partial(_keep_all, index=index)
    if isinstance(node, ast.BoolOp):
        for index, value in enumerate(node.values):
            yield f"without `{ast.unparse(value)}` in `{ast.unparse(node)}`", partial(_leave_out, index=index)
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            bent = _BENT[type(operator)]
            yield f"{bent.__name__} in `{ast.unparse(node)}`", partial(_bend, index=index, bent=bent)
    yield from _changes_of_columns(node)


def _changes_of_columns(node: ast.AST) -> Iterator[tuple[str, Change]]:
    is_type = isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr) and not is_type:
        for side in ("left", "right"):
            yield f"without `{ast.unparse(getattr(node, side))}` in `{ast.unparse(node)}`", partial(_ignore, side=side)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield f"the contrary of `{ast.unparse(node)}`", _contradict
    if isinstance(node, ast.Attribute) and node.attr in _OPPOSITE:
        yield f"{_OPPOSITE[node.attr]} for `{ast.unparse(node)}`", _take_opposite


def _decide(found: ast.If | ast.IfExp, *, truth: bool) -> None:
    found.test = ast.Constant(value=truth)


def _keep_all(found: ast.comprehension, *, index: int) -> None:
    found.ifs.pop(index)


def _bend(found: ast.Compare, *, index: int, bent: type[ast.cmpop]) -> None:
    found.ops[index] = bent()


def _ignore(found: ast.BinOp, *, side: str) -> None:
    """Have one side of a condition on columns say nothing: all true beside an "and", all false beside an "or"."""
    anded = isinstance(found.op, ast.BitAnd)
    silent = ast.BinOp(getattr(found, side), ast.BitOr() if anded else ast.BitAnd(), ast.Constant(value=anded))
    setattr(found, side, silent)


def _contradict(found: ast.UnaryOp) -> None:
    found.operand = ast.UnaryOp(ast.Invert(), found.operand)


def _take_opposite(found: ast.Attribute) -> None:
    found.attr = _OPPOSITE[found.attr]


def _leave_out(found: ast.BoolOp, *, index: int) -> None:
    found.values[index] = ast.Constant(value=isinstance(found.op, ast.And))


def _reports(value: ast.expr) -> bool:
    """Return whether a statement reports something: a yield, or an addition to the faults."""
    return isinstance(value, ast.Yield | ast.YieldFrom) or (
        isinstance(value, ast.Call) and "faults" in ast.unparse(value.func)
    )


def _silence(found: ast.Expr) -> None:
    # A generator has to remain one.
    is_yield = isinstance(found.value, ast.Yield | ast.YieldFrom)
    found.value = ast.YieldFrom(ast.Tuple([], ast.Load())) if is_yield else ast.Constant(value=None)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves one module from a changed tree."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.tree(), str(self.mutant), "exec"), module.__dict__)  # noqa: S102 - that is the point


@contextmanager
def installed(mutant: Mutant) -> Iterator[Any]:
    """Give the verifier in which one module is a mutant; afterwards everything is as before."""
    kept = {name: importlib.import_module(name) for name in MODULES}
    for name in kept:
        del sys.modules[name]
        delattr(exchange.clearing, name.rpartition(".")[2])  # or ``from exchange.clearing import`` finds the old one
    finder = _Finder(mutant)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(ENTRY)
    finally:
        sys.meta_path.remove(finder)
        for name, module in kept.items():
            sys.modules[name] = module
            setattr(exchange.clearing, name.rpartition(".")[2], module)


def catches(verifier: Any) -> str | None:
    """Return the name of the first case that tells a verifier from the real one, None if none does."""
    for case in damages.cases():
        try:
            report = verifier.verify(case.make_book(), case.document(), required_welfare=case.required_welfare)
            codes = {violation.code for violation in report.violations}
        except Exception:  # noqa: BLE001 - a mutant may fail in any way, and failing is being caught
            return case.name
        if codes != case.codes:
            return case.name
        rejected = [(block.order, block.cell, block.start, block.surplus) for block in report.rejected_blocks]
        if case.rejected is not None and rejected != case.rejected:
            return case.name
    return None


def judged(select: Callable[[Mutant], bool] = lambda _: True) -> Iterator[tuple[Mutant, str | None]]:
    """Yield the selected mutants, each with the case that caught it."""
    for mutant in filter(select, mutants()):
        with installed(mutant) as verifier:
            yield mutant, catches(verifier)


def main() -> int:
    """Run and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print every mutant with the case that caught it")
    options = parser.parse_args()
    count = same = alive = 0
    unchanged: set[str] = set()
    for mutant, caught_by in judged():
        count += 1
        if options.list:
            print(f"{mutant}: {caught_by or 'survives'}")
        if caught_by is None and mutant.what in EQUIVALENT:
            same += 1
            unchanged.add(mutant.what)
        elif caught_by is None:
            alive += 1
            print(f"SURVIVES {mutant}", flush=True)
    for what in sorted(EQUIVALENT.keys() - unchanged):
        print(f"no such mutant: {what}")
    print(f"{count} mutants: {count - same - alive} caught, {same} equivalent, {alive} survive")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
