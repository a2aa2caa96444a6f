"""The table that is printed, and the same as JSON."""

import statistics

from measurement import Measurement, Row

HEADINGS = ["row", "work", "ours", "peer", "ratio", "bound", "verdict", "generator"]
GENERATOR_IS_THE_LIMIT = 0.97
DISTURBED = 0.15


def number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) and value >= 10 else f"{value:.2f}"


def _generator(measurement: Measurement) -> str:
    sides = [measurement.ours, measurement.peer]
    shares = [max(side.generator) for side in sides if side and side.generator]
    text = " / ".join(f"{share:.0%}" for share in shares)
    return text + " (the limit)" if any(share > GENERATOR_IS_THE_LIMIT for share in shares) else text


def _disturbance(measurement: Measurement) -> list[str]:
    share = statistics.median(measurement.others) if measurement.others else 0
    return [f"disturbed: other programs used {share:.0%} of a core"] if share > DISTURBED else []


def cells(row: Row, measurement: Measurement) -> list[str]:
    ours, peer = measurement.ours.median, measurement.peer
    ratio = None if measurement.errors else measurement.ratio
    measured = ratio if row.bound and row.bound.of == "ratio" else ours
    if measurement.errors:
        verdict = "ERRORS"
    elif row.bound is None or measured is None:
        verdict = "—"
    else:
        verdict = row.bound.verdict(measured)
    return [
        row.name,
        f"{row.work}, {row.unit}",
        number(ours) if ours is not None else "—",
        f"{number(peer.median)} {peer.name}" if peer and peer.median is not None else "—",
        f"{ratio:.2f}" if ratio is not None else "—",
        row.bound.describe(number) + (" ratio" if row.bound.of == "ratio" else "") if row.bound else "—",
        verdict,
        _generator(measurement) or "—",
    ]


def lines(results: list[tuple[Row, Measurement | str]]) -> list[str]:
    """A Markdown table; what could not be measured says why in the verdict's column."""
    body, remarks = [], []
    for row, result in results:
        if isinstance(result, str):
            bound = row.bound.describe(number) if row.bound else "—"
            verdict, _, detail = result.partition("\n")
            body.append([row.name, f"{row.work}, {row.unit}", "—", "—", "—", bound, verdict, "—"])
            remarks += [f"{row.name}: {detail}"] if detail else []
            continue
        body.append(cells(row, result))
        said = [*result.notes, *dict.fromkeys(result.errors), *_disturbance(result)]
        remarks += [f"{row.name}: {remark}" for remark in said]
    widths = [max(len(line[i]) for line in [HEADINGS, *body]) for i in range(len(HEADINGS))]

    def joined(line: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [joined(HEADINGS), rule, *map(joined, body), *remarks]


def as_json(row: Row, result: Measurement | str) -> dict:
    base = {"row": row.name, "work": row.work, "unit": row.unit}
    if isinstance(result, str):
        return {**base, "outcome": result}
    sides = {"ours": result.ours, "peer": result.peer}
    figures = {
        key: {"name": side.name, "median": side.median, "rounds": side.rounds, "runs": side.runs}
        for key, side in sides.items() if side
    }
    verdict = cells(row, result)[HEADINGS.index("verdict")]
    return {
        **base, **figures, "ratio": result.ratio, "outcome": verdict, "notes": result.notes,
        "errors": result.errors,
    }
