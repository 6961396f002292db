"""What a method makes of a world that is not its model: errors, coverage and how often it says that it does not fit.

`doamc/trials/mismatch` holds the rows. hits: share of batches with all sources within 2 deg. cover: share of truths in
90 % intervals. flagged: share of estimates marked doubtful. error / std: r.m.s. error over r.m.s. standard deviation.
phantoms: share of batches with more estimates than sources.

    .venv/bin/python benchmarks/mismatch.py [--method posterior] [--row outside-75 --row deaf] [--workers N]
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from command import add_workers, done_by, make_parser, write_result

from doamc.cluster import Workers, open_executor
from doamc.errors import DoamcError
from doamc.estimators.base import DEFAULT_METHOD, Estimator
from doamc.estimators.engine import open_estimator
from doamc.files.atomic import whole_file
from doamc.spec import load_spec
from doamc.trials.mismatch import ROWS, Row, run_row

QUICK = ("model-ula8-200-10dB", "outside-75", "deaf")
COLUMNS = ("hits", "rmse_deg", "std_deg", "cover", "error_over_std", "flagged", "phantoms")


@lru_cache
def estimator_of(method: str, array: str) -> Estimator:
    return open_estimator(method, load_spec(array), None, "cpu", 0)


def measure(task: list[Any]) -> dict[str, Any]:
    """Result of one row, by its name, the method and batches; what a method cannot do is told in place of figures."""
    name, method, batches = task
    row: Row = ROWS[name]
    torch.set_num_threads(1)
    head: dict[str, Any] = {"row": row.name, "on_model": row.on_model, "hidden": row.hidden, "cause": row.cause}
    array = row.make(1, torch.Generator().manual_seed(0)).spec.name
    try:
        return head | run_row(row, estimator_of(method, array), batches).result()
    except DoamcError as error:
        return head | {"refused": str(error)}


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as a table in Markdown."""
    lines = [f"| row | {' | '.join(COLUMNS)} | causes |", f"|---{'|---:' * len(COLUMNS)}|---|"]
    for r in rows:
        cells = ["" if r.get(c) is None else f"{r[c]:g}" for c in COLUMNS]
        told = ", ".join(f"{name} {count}" for name, count in (r.get("causes") or {}).items())
        lines.append(f"| {r['row']}{' (model)' if r['on_model'] else ''} | {' | '.join(cells)} | {told} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, print and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--row", action="append", choices=list(ROWS), metavar="NAME", help="this one only; repeatable")
    parser.add_argument("--method", default=DEFAULT_METHOD, help="with its options (%(default)s)")
    parser.add_argument("--batches", type=int, default=24, help="of each row (%(default)s)")
    parser.add_argument("--table", type=Path, help="file for the table in Markdown (default: none)")
    add_workers(parser)
    args = parser.parse_args()
    names, batches = (args.row or QUICK, 4) if args.quick else (args.row or list(ROWS), args.batches)
    with open_executor(Workers(args.workers)) as executor:
        rows = done_by(executor, "mismatch:measure", [[name, args.method, batches] for name in names])
    write_result(__file__, args, {"method": args.method, "batches": batches, "rows": rows})
    print(table(rows))
    if args.table:
        with whole_file(args.table) as file:
            file.write(table(rows).encode())


if __name__ == "__main__":
    main()
