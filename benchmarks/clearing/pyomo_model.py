"""Build a linear program with pyomo from arrays, and print the seconds that took.

    PYTHON benchmarks/clearing/pyomo_model.py ARRAYS.npz

Runs in an environment of its own with pyomo, highspy and numpy; nothing of it is imported by the project.
"""

import sys
import time

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers.highs import Highs


def main() -> None:
    """Build and load the model."""
    arrays = np.load(sys.argv[1])
    began = time.process_time()
    columns, rows = len(arrays["objective"]), len(arrays["row_lower"])
    upper = arrays["upper"]
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(columns), bounds=lambda _, j: (0.0, float(upper[j])))
    objective = arrays["objective"]
    model.welfare = pyo.Objective(
        expr=pyo.quicksum(float(objective[j]) * model.x[j] for j in range(columns)), sense=pyo.maximize
    )
    column = np.repeat(np.arange(columns), np.diff(arrays["start"]))
    order = np.argsort(arrays["index"], kind="stable")
    begin = np.searchsorted(arrays["index"][order], np.arange(rows + 1))
    column, value = column[order], arrays["value"][order]

    def row(_: object, i: int) -> object:
        terms = range(begin[i], begin[i + 1])
        body = pyo.quicksum(float(value[k]) * model.x[int(column[k])] for k in terms)
        least, most = float(arrays["row_lower"][i]), float(arrays["row_upper"][i])
        return pyo.inequality(None if least == -np.inf else least, body, None if most == np.inf else most)

    model.rows = pyo.Constraint(range(rows), rule=row)
    Highs().set_instance(model)
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
