"""The parts of a self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from nasnet_keras.search.report.tables import Table
from nasnet_keras.text.plain_text import markup

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #888; }
td.text, th.text { text-align: left; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg, figure img { max-width: 100%; height: auto; }
figcaption { color: #555; } pre { background: #f6f6f6; padding: .6rem; overflow-x: auto; }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Returns a page with a title, which it also begins with, and the elements of its body."""
    title = markup(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def chart(svg: bytes, caption: str) -> str:
    """Returns a drawing as an element of a page."""
    # A separate image, so that the ids inside two charts do not clash.
    data = base64.b64encode(svg).decode()
    caption = markup(caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def table(content: Table, text_columns: int = 0) -> str:
    """Returns a table as an element of a page; its first columns may be words."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=text' if column < text_columns else ''}>{markup(cell)}</{tag}>"
            for column, cell in enumerate(cells)
        )

    head = f"<tr>{line('th', content.headings)}</tr>" if content.headings else ""
    body = "".join(f"<tr>{line('td', row)}</tr>" for row in content.rows)
    return f"<table>{head}{body}</table>"
