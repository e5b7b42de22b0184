"""The one file that knows HiGHS: programs in, floating-point hints out.

Nothing here is trusted. A solution, a status or a bound of the solver is a hint that the caller turns into integers
and checks. Options are fixed: one thread, the default seed, limits on nodes and never on time, so that the same
program gives the same hint.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

import highspy
import numpy as np
from numpy.typing import NDArray

INFINITY = float("inf")

Hints: TypeAlias = Sequence[float] | NDArray[np.float64]


class Status(StrEnum):
    """What the solver says of its own answer."""

    OPTIMAL = "optimal"
    LIMIT = "limit"
    INFEASIBLE = "infeasible"
    FAILED = "failed"


@dataclass
class Program:
    """A maximisation, built column by column and row by row."""

    objective: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integral: list[bool] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    row_starts: list[int] = field(default_factory=lambda: [0])
    entries: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def column(self, objective: float, *, upper: float, integral: bool) -> int:
        """Add a column from 0 to ``upper`` and return its place."""
        self.objective.append(objective)
        self.lower.append(0.0)
        self.upper.append(upper)
        self.integral.append(integral)
        return len(self.objective) - 1

    def row(self, terms: Sequence[tuple[int, float]], *, least: float = -INFINITY, most: float = INFINITY) -> int:
        """Add the row ``least <= sum(terms) <= most`` and return its place."""
        self.entries.extend(column for column, _ in terms)
        self.values.extend(value for _, value in terms)
        self.row_starts.append(len(self.entries))
        self.row_lower.append(least)
        self.row_upper.append(most)
        return len(self.row_lower) - 1

    @property
    def binaries(self) -> int:
        """How many columns have to be integral."""
        return sum(self.integral)


@dataclass(frozen=True)
class Arrays:
    """A maximisation by columns from 0 to ``upper``: column ``j`` has the entries ``start[j]`` to ``start[j + 1]``."""

    objective: NDArray[np.float64]
    upper: NDArray[np.float64]
    integral: NDArray[np.bool_]
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    start: NDArray[np.int32]
    index: NDArray[np.int32]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Rows of at most ``upper``: row ``i`` has the entries ``start[i]`` to ``start[i + 1]``."""

    upper: NDArray[np.float64]
    start: NDArray[np.int64]
    index: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class Basis:
    """A vertex: which columns and rows are basic, and the variable of each row of its inverse.

    A variable is the place of a column, or -1 less the place of a row.
    """

    columns: NDArray[np.bool_]
    rows: NDArray[np.bool_]
    variables: NDArray[np.int64]


@dataclass(frozen=True)
class Solution:
    """A hint: column values and, from a relaxation, row duals."""

    status: Status
    objective: float = 0.0
    values: Hints = ()
    duals: Hints = ()
    costs: Hints = ()  # reduced costs of the columns

    def fits(self, program: Program) -> bool:
        """Return whether there is one finite value for each column, whatever it is worth."""
        return len(self.values) == len(program.objective) and all(map(math.isfinite, self.values))

    def within(self, arrays: Arrays) -> NDArray[np.float64] | None:
        """Return the values inside the bounds of their columns; None unless there is one finite value for each."""
        values = np.asarray(self.values, dtype=np.float64)
        if len(values) != len(arrays.objective) or not np.isfinite(values).all():
            return None
        return np.clip(values, 0.0, arrays.upper)


class Solver(Protocol):
    """What the engine asks of a solver."""

    def relax(self, program: Program) -> Solution:
        """Solve without the integrality."""
        ...

    def optimise(self, program: Program, *, nodes: int, gap: float, presolve: bool = True) -> Solution:
        """Solve with the integrality, to a relative gap or until ``nodes`` branch-and-bound nodes."""
        ...

    def relaxation(self, arrays: Arrays) -> "Relaxation":
        """Return the linear relaxation, to be solved again and again as its bounds change."""
        ...

    def improve(self, arrays: Arrays, start: NDArray[np.float64], *, nodes: int, gap: float) -> Solution:
        """Solve with the integrality from a known answer on, to a relative gap or until ``nodes`` nodes."""
        ...


class Relaxation(Protocol):
    """A linear program that remembers where it stood."""

    def solve(self) -> Solution:
        """Solve it, from the last vertex on if there is one."""
        ...

    def set_upper(self, columns: NDArray[np.int64], upper: NDArray[np.float64]) -> None:
        """Change the upper bounds of columns."""
        ...

    def set_row_lower(self, rows: NDArray[np.int64], lower: NDArray[np.float64]) -> None:
        """Change the lower bounds of rows, whose upper bounds stay."""
        ...

    def add_rows(self, rows: Rows) -> None:
        """Add rows behind those that it has."""
        ...

    def basis(self) -> Basis | None:
        """Return the vertex where it stands; None where there is none."""
        ...

    def inverse_row(self, place: int) -> NDArray[np.float64]:
        """Return what the rows are multiplied by to give the tableau's row of the basic variable at ``place``."""
        ...


class Highs:
    """The solver of production."""

    def relax(self, program: Program) -> Solution:
        """Solve the linear relaxation with the simplex method, so that the duals are those of a vertex."""
        model = _load(program, relaxed=True)
        model.setOptionValue("solver", "simplex")
        return _run(model)

    def optimise(self, program: Program, *, nodes: int, gap: float, presolve: bool = True) -> Solution:
        """Solve the integer program."""
        model = _load(program, relaxed=False)
        model.setOptionValue("presolve", "choose" if presolve else "off")
        model.setOptionValue("mip_max_nodes", nodes)
        model.setOptionValue("mip_rel_gap", gap)
        model.setOptionValue("mip_abs_gap", 1e-6)
        model.setOptionValue("mip_feasibility_tolerance", 1e-8)
        return _run(model)

    def relaxation(self, arrays: Arrays) -> Relaxation:
        """Return the linear relaxation; its first solution may come from a presolved program, later ones do not."""
        return _HighsRelaxation(arrays)

    def improve(self, arrays: Arrays, start: NDArray[np.float64], *, nodes: int, gap: float) -> Solution:
        """Solve the integer program; restarts and symmetry search cost more than they bring on programs this small.

        So do the solver's own sub-programs, unless the root is all that it may look at.
        """
        model = _load_arrays(arrays, relaxed=False)
        model.setOptionValue("mip_max_nodes", nodes)
        model.setOptionValue("mip_rel_gap", gap)
        model.setOptionValue("mip_heuristic_effort", 0.0)
        if nodes > 1:
            for heuristic in ("rins", "rens", "root_reduced_cost", "feasibility_jump"):
                model.setOptionValue(f"mip_heuristic_run_{heuristic}", "off")
            model.setOptionValue("mip_pscost_minreliable", 2)
            model.setOptionValue("mip_lp_age_limit", 3)
            model.setOptionValue("mip_pool_age_limit", 3)
        # Cuts kept; a fifth of the default and less, for memory, and because each round looks at all of them.
        model.setOptionValue("mip_pool_soft_limit", 500 if nodes > 1 else 2_000)
        model.setOptionValue("mip_allow_restart", "off")
        model.setOptionValue("mip_detect_symmetry", "off")
        known = highspy.HighsSolution()
        known.col_value = list(start)
        known.value_valid = True
        model.setSolution(known)
        return _run(model)


class _HighsRelaxation:
    def __init__(self, arrays: Arrays) -> None:
        self._row_upper = arrays.row_upper
        self._model = _load_arrays(arrays, relaxed=True)
        self._model.setOptionValue("solver", "simplex")

    def solve(self) -> Solution:
        solution = _run(self._model)
        self._model.setOptionValue("presolve", "off")
        return solution

    def set_upper(self, columns: NDArray[np.int64], upper: NDArray[np.float64]) -> None:
        # HiGHS refuses a set of columns that does not rise.
        places, first = np.unique(columns, return_index=True)
        status = self._model.changeColsBounds(
            len(places), places.astype(np.int32), np.zeros(len(places)), np.asarray(upper, dtype=float)[first]
        )
        assert status == highspy.HighsStatus.kOk, "the columns do not exist"

    def set_row_lower(self, rows: NDArray[np.int64], lower: NDArray[np.float64]) -> None:
        for row, bound in zip(rows, lower, strict=True):
            self._model.changeRowBounds(int(row), float(bound), float(self._row_upper[row]))

    def add_rows(self, rows: Rows) -> None:
        status = self._model.addRows(
            len(rows.upper),
            np.full(len(rows.upper), -INFINITY),
            rows.upper,
            len(rows.index),
            rows.start[:-1].astype(np.int32),
            rows.index.astype(np.int32),
            rows.value,
        )
        assert status == highspy.HighsStatus.kOk, "the columns do not exist"

    def basis(self) -> Basis | None:
        basis = self._model.getBasis()
        status, variables = self._model.getBasicVariables()  # type: ignore[attr-defined]
        if status != highspy.HighsStatus.kOk or not basis.valid:
            return None
        return Basis(_basic(basis.col_status), _basic(basis.row_status), np.array(variables, dtype=np.int64))

    def inverse_row(self, place: int) -> NDArray[np.float64]:
        return np.asarray(self._model.getBasisInverseRow(place)[1], dtype=np.float64)  # type: ignore[attr-defined]


def _load(program: Program, *, relaxed: bool) -> highspy.Highs:
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", "off")
    model.setOptionValue("threads", 1)
    model.setOptionValue("primal_feasibility_tolerance", 1e-8)
    linear = highspy.HighsLp()
    linear.num_col_ = len(program.objective)
    linear.num_row_ = len(program.row_lower)
    linear.sense_ = highspy.ObjSense.kMaximize
    linear.col_cost_ = _floats(program.objective)
    linear.col_lower_ = _floats(program.lower)
    linear.col_upper_ = _floats(program.upper)
    linear.row_lower_ = _floats(program.row_lower)
    linear.row_upper_ = _floats(program.row_upper)
    linear.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    linear.a_matrix_.start_ = np.asarray(program.row_starts, dtype=np.int32)
    linear.a_matrix_.index_ = np.asarray(program.entries, dtype=np.int32)
    linear.a_matrix_.value_ = _floats(program.values)
    if not relaxed:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        linear.integrality_ = [kinds[integral] for integral in program.integral]
    model.passModel(linear)
    return model


def _load_arrays(arrays: Arrays, *, relaxed: bool) -> highspy.Highs:
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", "off")
    model.setOptionValue("threads", 1)
    linear = highspy.HighsLp()
    linear.num_col_ = len(arrays.objective)
    linear.num_row_ = len(arrays.row_lower)
    linear.sense_ = highspy.ObjSense.kMaximize
    linear.col_cost_ = arrays.objective
    linear.col_lower_ = np.zeros(len(arrays.objective))
    linear.col_upper_ = arrays.upper
    linear.row_lower_ = arrays.row_lower
    linear.row_upper_ = arrays.row_upper
    linear.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    linear.a_matrix_.start_ = arrays.start
    linear.a_matrix_.index_ = arrays.index
    linear.a_matrix_.value_ = arrays.value
    if not relaxed:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        linear.integrality_ = [kinds[int(integral)] for integral in arrays.integral]
    model.passModel(linear)
    return model


def _floats(values: Sequence[float]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


def _basic(statuses: Sequence[highspy.HighsBasisStatus]) -> NDArray[np.bool_]:
    return np.array([status == highspy.HighsBasisStatus.kBasic for status in statuses], dtype=bool)


_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kSolutionLimit: Status.LIMIT,
    highspy.HighsModelStatus.kIterationLimit: Status.LIMIT,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
}


def _run(model: highspy.Highs) -> Solution:
    model.run()
    status = _STATUS.get(model.getModelStatus(), Status.FAILED)
    if status in (Status.INFEASIBLE, Status.FAILED):
        return Solution(status)
    solution = model.getSolution()
    if not solution.value_valid:
        return Solution(status)
    return Solution(
        status=status,
        objective=model.getInfo().objective_function_value,
        # As arrays: a list of Python's floats takes four times the room, and one such is made in passing as it is.
        values=np.array(solution.col_value),
        duals=np.array(solution.row_dual) if solution.dual_valid else (),
        costs=np.array(solution.col_dual) if solution.dual_valid else (),
    )
