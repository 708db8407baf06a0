"""JSON of any shape is read, or refused in one way."""

import pytest

from nasnet_keras.files.json_text import parse_json
from nasnet_keras.settings import Count, Settings, read_settings


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 10**5, "nested too deeply"),
        ('{"a":' * 10**5, "nested too deeply"),
        ("[Infinity]", "Infinity is not a number of JSON"),
        ("[-Infinity]", "-Infinity is not"),
        ('{"a": NaN}', "NaN is not"),
        ("", "Expecting value"),
        (b"\xff\xff", "decode"),
    ],
)
def test_what_is_no_json_is_a_value_error(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_python_s_numbers_are_read_where_each_is_checked_by_itself():
    assert parse_json("[Infinity, -Infinity]", finite=False) == [float("inf"), float("-inf")]


def test_json_is_read_with_a_byte_order_mark_as_well():
    assert parse_json(b'\xef\xbb\xbf{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}


@pytest.mark.parametrize("value", ["1" + "0" * 400, "1" + "0" * 5000, "1e400", "Infinity", "[[1]]"])
def test_settings_refuse_a_number_of_any_size_in_a_short_line(tmp_path, value):
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Two(Settings):
        count: Count = 1
        fraction: float = 0.5

    for name in ("count", "fraction"):
        (tmp_path / "file.json").write_text(f'{{"{name}": {value}}}')
        with pytest.raises(ValueError, match="is not a file of settings: ") as caught:
            read_settings(Two, tmp_path / "file.json")
        assert len(str(caught.value)) < 400
