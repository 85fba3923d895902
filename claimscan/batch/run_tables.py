"""Rows of a finished run's tables, a batch at a time, so that a run of any size fits in memory."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimscan.errors import UsageError

if TYPE_CHECKING:
    import pandas

ROWS = 8_192  # read at a time


def columns_of(run_folder: str, name: str) -> list[str]:
    """The columns of a table.

    Raises:
        UsageError: the table is not there or is damaged.
    """
    return list(_opened(run_folder, name).schema_arrow.names)


def batches(
    run_folder: str,
    name: str,
    columns: Sequence[str] | None = None,
    only: Mapping[str, Collection[str]] | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a table, in its order.

    Args:
        columns: the ones wanted; all, if not given. ``only``: values that a column must have one of.

    Raises:
        UsageError: the table is not there or is damaged.
    """
    import pyarrow
    import pyarrow.compute

    wanted = {column: pyarrow.array(sorted(values), pyarrow.string()) for column, values in (only or {}).items()}
    table = _opened(run_folder, name)
    try:
        for batch in table.iter_batches(ROWS, columns=None if columns is None else list(columns)):
            for column, values in wanted.items():
                batch = batch.filter(pyarrow.compute.is_in(batch.column(column), value_set=values))
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, KeyError) as error:
        raise _damaged(run_folder, name) from error


def shared(run_folder: str, metadata: Sequence[str], texts: bool = True) -> dict[str, list[dict[str, Any]]]:
    """The rows of files that repeat another, by the other's document: a joint strategy may be listed under two bodies.

    Args:
        metadata: the user's columns, which each row has; without any, there is nothing to tell.
        texts: also files with the same words in other bytes.

    Raises:
        UsageError: the table is not there or is damaged.
    """
    if not metadata:
        return {}
    wanted = ["document", "source", "repeats", "repeats_by", *metadata]
    kinds = {"repeats_by": ["bytes", "text"] if texts else ["bytes"]}
    repeats = list(batches(run_folder, "documents", wanted, kinds))
    first = {"source": {row["repeats"] for row in repeats}}
    documents = {row["source"]: row["document"] for row in batches(run_folder, "documents", wanted[:2], first)}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in repeats:
        found.setdefault(documents[row["repeats"]], []).append(row)
    return found


def _opened(run_folder: str, name: str) -> Any:
    import pyarrow
    import pyarrow.parquet

    path = os.path.join(run_folder, "tables", f"{name}.parquet")
    try:
        return pyarrow.parquet.ParquetFile(path)
    except FileNotFoundError:
        raise UsageError(
            f"The run in {run_folder} has no table of {name} yet.",
            "Run the same scan again; it goes on where it stopped.",
        ) from None
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(run_folder, name) from error


def _damaged(run_folder: str, name: str) -> UsageError:
    return UsageError(
        f"The table of {name} in {run_folder} cannot be read.", "Run the same scan again; it makes the tables anew."
    )


def frames(run_folder: str) -> dict[str, pandas.DataFrame]:
    """The tables of a finished run as pandas tables: ``documents``, ``products``, ``mentions``, ``evidence`` and
    ``failures``, with the same column names and types as :meth:`claimscan.Report.to_frames`, and the columns that the user gave.

    Raises:
        UsageError: a table is not there or is damaged.
    """
    import pandas

    from claimscan import report

    found = {}
    for name in ("documents", "products", "mentions", "evidence", "failures"):
        frame = pandas.DataFrame(list(batches(run_folder, name)), columns=columns_of(run_folder, name))
        found[name] = report.typed(name, frame)
    return found
