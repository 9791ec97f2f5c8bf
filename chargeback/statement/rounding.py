"""Two-way controlled rounding: a table of exact amounts to cents that adds up both ways.

Rounding each cell by itself leaves rows and columns that miss their totals by cents. Controlled
rounding picks floor or ceiling cell by cell so that every total is itself a floor or ceiling of
its exact value: L. H. Cox, "A constructive procedure for unbiased controlled rounding", Journal
of the American Statistical Association 82 (1987), pages 520-524. Cox draws the direction of each
step at random to be unbiased; here it is fixed, so that the same table gives the same cents.

Method, with amounts as whole numbers of the smallest decimal place in the table and 1 the cent:

1. Take the floor out of every cell: what is left, the cell's fraction, lies in [0, 1).
2. Add to each row a slack that makes the row whole, then to each column, the slack column too, a
   slack that makes it whole. The last of these is the corner: its fraction is the grand total's.
   These last slacks, a row of their own, add up to a whole number as well.
3. While a fraction is neither 0 nor 1, walk a cycle through such cells that turns between rows and
   columns, and add and subtract the same step in turn until one of its cells is 0 or 1.
4. The corner's direction is chosen: up to 1 if the grand total rounds up, else down to 0. All
   others go whichever way is the shorter step.

Why it always ends well. A step changes two cells of each row and column it meets, by opposite
amounts: all sums of the extended table stay whole, all fractions stay in [0, 1]. Call a fraction
open while it is neither 0 nor 1, and see rows and columns as the nodes of a graph, open cells as
its edges. Were an edge a bridge, then on one side of it the row sums less the column sums would
come to that edge's fraction and whole numbers; these sums are whole, so the fraction would be, and
it is not. So every open cell, the corner too, lies on a cycle, and each step settles at least one
cell for good. In the end a cell is its floor or one more, and a slack is 0 or 1. A row or column
total is a whole number less its slack, the grand total a whole number plus the corner: each is the
floor or the ceiling of its exact value. What was whole at the start has fraction 0, is no edge and
never moves: zero stays zero.

Speed. Two rows with two open columns in common make a cycle of four cells. Settling these as rows
come in leaves few rows open (no two of them share two columns); only those need a search.
"""

from collections import deque
from collections.abc import Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

_Fractions = list[int]  # of one row, its slack last
_Cell = tuple[_Fractions, int]  # a row and a position in it

# Cells may have more digits than the 28 of Python's default context, which would round them.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def round_two_way(rows: Sequence[Sequence[Decimal]], places: int = 2) -> list[list[Decimal]]:
    """Rounds a table so that it adds up across and down.

    Args:
        rows: The exact table, any sign and any number of decimals, all rows equally long. Totals
            are not part of it.
        places: Decimals to keep.

    Returns:
        A table of the same shape, each cell with exactly `places` decimals. Each cell, each row
        total and each column total is less than one unit of the last place from its exact value,
        and equal to it where that is on the grid already. The sum of all cells is the exact sum
        rounded half away from zero. Equal tables give equal results.

    Raises:
        ValueError: Rows differ in length, or a cell is not finite.
    """
    if not rows:
        return []
    scale = max(places, max((_decimals(value) for row in rows for value in row), default=0))
    unit = 10 ** (scale - places)
    exact = [[int(_EXACT.scaleb(value, scale)) for value in row] for row in rows]
    fractions = [_with_slack([value % unit for value in row], unit) for row in exact]
    slack_row = _slack_row(fractions, unit)
    _settle(fractions, slack_row, unit, corner_up=_rounds_up(sum(map(sum, exact)), unit))
    return [
        [
            _EXACT.scaleb(Decimal((value - value % unit + part) // unit), -places)
            for value, part in zip(values, parts[:-1], strict=True)
        ]
        for values, parts in zip(exact, fractions, strict=True)
    ]


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, str):
        raise ValueError(f"cannot round {value}: not a finite amount")
    return -exponent


def _with_slack(fractions: _Fractions, unit: int) -> _Fractions:
    return [*fractions, -sum(fractions) % unit]


def _slack_row(fractions: Sequence[_Fractions], unit: int) -> _Fractions:
    return [-sum(column) % unit for column in zip(*fractions, strict=True)]


def _rounds_up(total: int, unit: int) -> bool:
    """Whether rounding half away from zero takes the ceiling of `total` rather than its floor."""
    twice = 2 * (total % unit)
    return twice > unit or (twice == unit and total > 0)


def _settle(
    fractions: Sequence[_Fractions], slack_row: _Fractions, unit: int, *, corner_up: bool
) -> None:
    """Moves every fraction to 0 or `unit`, in place; the corner to the side that is asked for."""
    table = [*_settle_pairs(fractions, unit), slack_row]
    corner = len(slack_row) - 1
    while _is_open(slack_row[corner], unit):
        cycle = _cycle_through(table, len(table) - 1, corner, unit)
        _shift(cycle, _room(cycle, unit) if corner_up else -_room(_opposite(cycle), unit))
    for index, row in enumerate(table):
        for column in range(len(row)):
            while _is_open(row[column], unit):
                _take_shorter_step(_cycle_through(table, index, column, unit), unit)


def _settle_pairs(fractions: Sequence[_Fractions], unit: int) -> list[_Fractions]:
    """Settles all cycles of four cells; returns the rows that still have open cells."""
    waiting: list[_Fractions] = []
    for row in fractions:
        for other in waiting:
            _settle_pair(row, other, unit)
        waiting = [each for each in (*waiting, row) if _open_columns(each, unit)]
    return waiting


def _settle_pair(row: _Fractions, other: _Fractions, unit: int) -> None:
    shared = [at for at, part in enumerate(row) if 0 < part < unit and 0 < other[at] < unit]
    while len(shared) > 1:
        left, right = shared[:2]
        _take_shorter_step([(row, left), (other, left), (other, right), (row, right)], unit)
        shared = [at for at in shared if 0 < row[at] < unit and 0 < other[at] < unit]


def _is_open(part: int, unit: int) -> bool:
    return 0 < part < unit


def _open_columns(row: _Fractions, unit: int) -> list[int]:
    return [at for at, part in enumerate(row) if 0 < part < unit]


def _cycle_through(table: Sequence[_Fractions], index: int, column: int, unit: int) -> list[_Cell]:
    """A shortest cycle of open cells that begins at the open cell (`index`, `column`).

    Neighbours share a column and a row in turn; the last cell shares a row with the first.
    """
    goal = table[index]
    trails: dict[int, list[_Cell]] = {column: [(goal, column)]}
    queue = deque([column])
    while queue:
        here = queue.popleft()
        for row in table:
            if not _is_open(row[here], unit) or (row is goal and here == column):
                continue
            trail = [*trails[here], (row, here)]
            if row is goal:
                return trail
            for onward in _open_columns(row, unit):
                if onward not in trails:
                    trails[onward] = [*trail, (row, onward)]
                    queue.append(onward)
    raise AssertionError("an open cell of a table with whole sums lies on a cycle")


def _take_shorter_step(cycle: list[_Cell], unit: int) -> None:
    rise, fall = _room(cycle, unit), _room(_opposite(cycle), unit)
    _shift(cycle, rise if rise <= fall else -fall)


def _opposite(cycle: list[_Cell]) -> list[_Cell]:
    """The same cycle, with the cells that rose now falling."""
    return [*cycle[1:], cycle[0]]


def _room(cycle: list[_Cell], unit: int) -> int:
    """How far the first, third … cell can rise while the others fall."""
    rising = min(unit - row[at] for row, at in cycle[::2])
    return min(rising, *(row[at] for row, at in cycle[1::2]))


def _shift(cycle: list[_Cell], step: int) -> None:
    for row, at in cycle:
        row[at] += step
        step = -step
