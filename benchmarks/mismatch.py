"""What a method makes of a world that is not its model: errors, coverage and how often it says that it does not fit.

`doamc/trials/mismatch` holds the rows. hits: share of batches with all sources within 2 deg. cover: share of truths in
90 % intervals. flagged: share of estimates marked doubtful. error / std: r.m.s. error over r.m.s. standard deviation.
phantoms: share of batches with more estimates than sources.

    .venv/bin/python benchmarks/mismatch.py [--method posterior] [--row outside-75 --row deaf] [--batches 24]
"""

from pathlib import Path
from typing import Any

import torch
from command import make_parser, write_result
from tqdm import tqdm

from doamc.errors import DoamcError
from doamc.estimators.base import DEFAULT_METHOD, Estimator
from doamc.estimators.engine import open_estimator
from doamc.files.atomic import whole_file
from doamc.spec import load_spec
from doamc.trials.mismatch import ROWS, Row, run_row

QUICK = ("model-ula8-200-10dB", "outside-75", "deaf")
COLUMNS = ("hits", "rmse_deg", "std_deg", "cover", "error_over_std", "flagged", "phantoms")


def measure(row: Row, method: str, estimators: dict[str, Estimator], batches: int) -> dict[str, Any]:
    """Result of one row; what a method cannot do is told in the place of figures."""
    head: dict[str, Any] = {"row": row.name, "on_model": row.on_model, "hidden": row.hidden, "cause": row.cause}
    array = row.make(1, torch.Generator().manual_seed(0)).spec.name
    try:
        if array not in estimators:
            estimators[array] = open_estimator(method, load_spec(array), None, "cpu", 0)
        return head | run_row(row, estimators[array], batches).result()
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
    args = parser.parse_args()
    torch.set_num_threads(1)
    names, batches = (args.row or QUICK, 4) if args.quick else (args.row or list(ROWS), args.batches)
    estimators: dict[str, Estimator] = {}
    rows = [measure(ROWS[name], args.method, estimators, batches) for name in tqdm(names, disable=None)]
    write_result(__file__, args, {"method": args.method, "batches": batches, "rows": rows})
    print(table(rows))
    if args.table:
        with whole_file(args.table) as file:
            file.write(table(rows).encode())


if __name__ == "__main__":
    main()
