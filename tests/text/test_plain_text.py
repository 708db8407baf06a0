"""Text of others stays text."""

import io
from xml.etree import ElementTree

import pytest
from rich.console import Console
from rich.table import Table

from nasnet_keras.text import plain_console
from nasnet_keras.text.plain_console import PlainConsole
from nasnet_keras.text.plain_text import line, markup, printable, say, shown, spreadsheet_cell

HOSTILE = "[/x] [red]a[/red] :smile: \x1b[31m\x00 \udcff"
PRINTED = r"[/x] [red]a[/red] :smile: \x1b[31m\x00 \udcff"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tab\tline\nend", r"tab\tline\nend"),
        ("Käse 猫 👩‍🚀", "Käse 猫 👩‍🚀"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        (HOSTILE, PRINTED),
    ],
)
def test_control_characters_are_printed_as_python_writes_them(text, expected):
    assert printable(text) == expected


def test_a_line_is_short_and_one_whatever_is_in_it():
    assert line("a\n  b\x1b") == "a b\\x1b"
    assert line("x" * 5000) == "x" * 78 + "..." + "x" * 78
    assert len(line("word " * 5000)) < 1900


def test_a_value_of_any_size_is_shown_shortly():
    for value in ("x" * 10**6, 10**5000, [[0] * 10**4], {"a": "b" * 5000}):
        assert len(shown(value)) < 250
    deep: list = []
    for _ in range(10**5):
        deep = [deep]
    assert len(shown(deep)) < 250


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-1.5", "-1.5"),
        (-1.5, -1.5),
        ("cat=dog", "cat=dog"),
        ("", ""),
    ],
)
def test_a_spreadsheet_runs_no_cell(value, expected):
    assert spreadsheet_cell(value) == expected


def test_markup_is_well_formed_whatever_is_in_it():
    text = "".join(map(chr, range(0x100))) + "\ufffe\uffff\udcff<&\"'"
    found = ElementTree.fromstring(f'<p title="{markup(text)}">{markup(text)}</p>')
    assert found.text == found.get("title") == printable(text)


def test_consoles_print_names_as_they_are():
    for plain in (True, False):
        out = io.StringIO()
        console = (PlainConsole if plain else Console)(file=out, width=200)
        plain_console.say_on(console, HOSTILE)
        assert out.getvalue() == f"{PRINTED}\n"


def test_tables_show_names_as_they_are():
    out = io.StringIO()
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    PlainConsole(file=out, width=200).print(table)
    assert out.getvalue().count(PRINTED) == 3


def test_say_prints_lines(capsys):
    say(f"{HOSTILE}\nsecond")
    assert capsys.readouterr().out == f"{PRINTED}\nsecond\n"
