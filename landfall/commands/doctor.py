"""``landfall doctor``."""

from __future__ import annotations

import typer

from landfall.arguments import JsonOption

_EXIT_ILL = 69  # EX_UNAVAILABLE
_STYLES = {"well": "green", "look": "yellow", "ill": "bold red"}


def doctor(as_json: JsonOption = False) -> None:
    """Look at every part that the settings name, as a run would use it; say what is wrong and what to do.

    Ends with 0 where a run can work, 69 where something is ill. No client's data is read.
    """
    from conf.settings import load_settings
    from landfall.doctor import examine
    from landfall.terminal import complain, count, said, say, show_json, show_table

    settings = load_settings()
    findings = []
    for found in examine(settings):
        findings.append(found)
        if not as_json:
            complain(f"{found.part}: {found.what}")
    ills = len({found.part for found in findings if found.state == "ill"})
    if as_json:
        show_json([found.__dict__ for found in findings])
    else:
        rows = [[one.part, one.what, said(one.state, _STYLES[one.state]), one.found, one.fix] for one in findings]
        show_table(["part", "what", "state", "found", "what to do"], rows)
        looks = sum(found.state == "look" for found in findings)
        say(
            f"{count(ills, 'part')} ill, {looks} to look at." if ills or looks else "All is well.",
            style="red" if ills else "",
        )
    if ills:
        raise typer.Exit(_EXIT_ILL)
