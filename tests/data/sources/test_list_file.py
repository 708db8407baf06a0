"""Lists as editors and tools write them."""

import codecs

import pytest

from nasnet_keras.data.sources.list_file import read_list_file


@pytest.mark.parametrize(
    "content",
    [
        b"a\nb c\n\nd.jpg\n",
        b"\xef\xbb\xbfa\r\nb c\r\n\r\nd.jpg",
        b"  a \t\r\n\tb c  \n   \nd.jpg\n\n",
        b"a\rb c\r\rd.jpg\r",
        codecs.BOM_UTF16_LE + "a\r\nb c\r\n\r\nd.jpg".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "a\nb c\n\nd.jpg\n".encode("utf-16-be"),
        b"a\nb c\n\n\xef\xbb\xbfd.jpg\n",
    ],
)
def test_lines_are_the_same_however_they_are_written(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)
    assert read_list_file(tmp_path / "list.txt") == {1: "a", 2: "b c", 4: "d.jpg"}


def test_characters_within_names_end_no_line(tmp_path):
    (tmp_path / "list.txt").write_text("a\u2028b\nc\x0cd\n", encoding="utf-8")
    assert read_list_file(tmp_path / "list.txt") == {1: "a\u2028b", 2: "c\x0cd"}


def test_what_is_not_text_is_refused_with_its_line(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"a\nb\xff\n")
    with pytest.raises(ValueError, match=r"list\.txt, line 2: not text in UTF-8"):
        read_list_file(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_bytes(b"")
    assert read_list_file(tmp_path / "list.txt") == {}
