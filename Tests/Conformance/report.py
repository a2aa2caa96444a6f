"""What a run of the Autobahn suite found, as a page of the documentation."""

SECTIONS = {
    1: "Framing", 2: "Pings and pongs", 3: "Reserved bits", 4: "Opcodes", 5: "Fragmentation", 6: "UTF-8",
    7: "Closing", 9: "Large messages and many", 10: "Split frames", 12: "Compression, by payload",
    13: "Compression, by parameters",
}
HEAD = """# Conformance

WebSockets (RFC 6455) with compression (RFC 7692), as the Autobahn suite {suite} sees the `/echo` of `examples/conformance`: its fuzzing
client, all {wanted} cases. This page is written by `make conformance`, which runs them; `make conformance FAST=1` leaves out the large messages
and compression, as `make test` does, and writes nothing.

| section | | cases | ok | informational | not strict | unimplemented | failed |
|---:|---|---:|---:|---:|---:|---:|---:|
"""


def page(verdicts, suite: str) -> str:
    """The page, for a whole run."""
    columns = ("OK", "INFORMATIONAL", "NON-STRICT", "UNIMPLEMENTED")
    text = HEAD.format(suite=suite, wanted=len(verdicts.wanted))
    bad = set(verdicts.failed + verdicts.closed_badly + verdicts.missing)
    sums = [0] * (len(columns) + 2)
    for section, title in SECTIONS.items():
        wanted = [case for case in verdicts.wanted if case.split(".")[0] == str(section)]
        kinds = [verdicts.results[case]["behavior"] for case in wanted if case not in bad]
        row = [len(wanted), *(kinds.count(kind) for kind in columns), sum(case in bad for case in wanted)]
        sums = [sum(pair) for pair in zip(sums, row)]
        text += f"| {section} | {title} | " + " | ".join(map(str, row)) + " |\n"
    text += "| | all | " + " | ".join(map(str, sums)) + " |\n"
    text += "\nInformational cases have no right answer: a close behind a message under way, and close codes that no rule covers.\n"
    if bad:
        text += f"\nFailed, closed badly or missing: {', '.join(sorted(bad))}.\n"
    return text
