"""A page of HTML that needs nothing but itself and the pictures beside it."""

from __future__ import annotations

from html import escape

_STYLE = """
:root { --ink: #1f2328; --soft: #59636e; --line: #d8dee4; --wash: #f6f8fa; --accent: #0969da; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 2rem 4rem; max-width: 1560px; color: var(--ink); background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 .3rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 3rem 0 .2rem; padding-top: 1.4rem; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
h2 .category { color: var(--soft); font-weight: 400; }
h3 { font-size: 1rem; margin: 1.8rem 0 .4rem; }
p { margin: .3rem 0 .8rem; max-width: 110ch; }
.soft { color: var(--soft); }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0 1rem; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .65rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); font-size: .86em; }
th:first-child, td:first-child { text-align: left; padding-left: .2rem; }
tbody tr:hover { background: var(--wash); }
tr.mean td { font-weight: 600; background: var(--wash); }
td.best { font-weight: 700; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .5em; }
.legend { position: sticky; top: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; margin: .6rem 0;
  padding: .5rem 0; background: #fff; color: var(--soft); font-size: .9em; }
.legend i { display: inline-block; width: 1em; height: 1em; margin-right: .45em; vertical-align: -.12em;
  border: 1px solid #b6bec7; border-radius: 3px; }
.pair { display: flex; flex-wrap: wrap; gap: 0 3.5rem; }
.pair > div { max-width: 100%; }
details { margin: .3rem 0 .8rem; }
summary { cursor: pointer; color: var(--soft); }
dl { margin: .5rem 0 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .6rem 1.2rem; color: var(--soft); font-size: .9em; overflow-wrap: anywhere; }
.plot { display: block; width: 100%; height: auto; margin: .2rem 0 .8rem; }
.strip { display: grid; gap: 5px; align-items: center; }
.strip .row { color: var(--soft); font-size: .86em; text-align: right; padding-right: .5rem; overflow-wrap: anywhere; }
.strip .head { font-size: .86em; color: var(--soft); align-self: end; }
.strip .head b { color: var(--ink); }
.strip img { display: block; width: 100%; height: auto; background: var(--wash); border-radius: 2px; }
@media print { body { max-width: none; padding: 0; } h2 { break-before: page; } }
"""


def page(title: str, body: str) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' file:; "
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def table(header: list[str], rows: list[tuple[list[str], str]]) -> str:
    """Return a table.

    Parameters
    ----------
    header : list of str
        HTML of the headings.
    rows : list of (list of str, str)
        HTML of the cells, each whole with its ``<td>``, and the row's class.
    """
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "\n".join(f'<tr class="{kind}">{"".join(cells)}</tr>' for cells, kind in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def cell(html: str, kind: str = "", style: str = "") -> str:
    """Return one cell of a table around HTML."""
    marks = (f' class="{kind}"' if kind else "") + (f' style="{style}"' if style else "")
    return f"<td{marks}>{html}</td>"
