"""Every format and kind of image is the same pixels to Pillow, in a stream and in a SavedModel."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.data.image_reader import FORMATS, SUFFIXES, decode_image, open_image

HEIGHT, WIDTH = 37, 53
ROW, COLUMN = np.mgrid[:HEIGHT, :WIDTH]
PIXELS = np.stack([COLUMN * 4, ROW * 6, ROW * COLUMN // 8], -1).astype("uint8")
ALPHA = (COLUMN * 5 % 256).astype("uint8")
DEEP = (ROW * 1700 + COLUMN * 83).astype("uint16")


def picture(mode="RGB"):
    """Returns the picture in a mode of Pillow's, made anew: saving leaves marks on it."""
    if mode == "I;16":
        return Image.fromarray(DEEP)
    if mode in ("RGBA", "LA"):
        return Image.fromarray(np.dstack([PIXELS, ALPHA])).convert(mode)
    return (
        Image.fromarray(PIXELS).quantize(200)
        if mode == "P"
        else Image.fromarray(PIXELS).convert(mode)
    )


def encode(mode, file_format, **options):
    stream = io.BytesIO()
    picture(mode).save(stream, file_format, **options)
    return stream.getvalue()


def png(depth, kind, values, *chunks, passes=((0, 0, 1, 1),)):
    """Makes a PNG by hand: `values` are `(height, width, channels)`, of at most `depth` bits."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    def line(values):
        if depth == 16:
            return b"\0" + values.astype(">u2").tobytes()
        bits = np.unpackbits(values.astype("uint8").reshape(-1, 1), axis=1)[:, 8 - depth :]
        return b"\0" + np.packbits(bits).tobytes()

    parts = [values[top::down, left::right] for top, left, down, right in passes]
    lines = b"".join(line(row) for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, len(passes) > 1)
    body = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in body)


ADAM7 = (
    *((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)),
    *((2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)),
)


def bmp(bits, compression=0, height=HEIGHT, masks=b"", header_size=40, after=b""):
    """Makes a BMP without palette by hand; a negative height stores the first row first."""
    channels = [PIXELS[..., ::-1], *([ALPHA[..., None]] if bits == 32 else [])]
    rows = np.concatenate(channels, -1)[:: 1 if height < 0 else -1]
    rows = np.pad(rows.reshape(HEIGHT, -1), [(0, 0), (0, -rows[0].size % 4)])
    header = struct.pack(
        "<IiiHHIIiiII", header_size, WIDTH, height, 1, bits, compression, rows.size, 0, 0, 0, 0
    )
    header = (header + masks).ljust(header_size, b"\0")
    start = 14 + len(header)
    first = b"BM" + struct.pack("<IHHI", start + rows.size, 0, 0, start)
    return first + header + rows.tobytes() + after


def animated(file_format, **options):
    other = Image.fromarray(255 - PIXELS)
    return encode("RGB", file_format, save_all=True, append_images=[other], **options)


def without_adobe(jpeg):
    start = jpeg.index(b"\xff\xee")
    return jpeg[:start] + jpeg[start + 16 :]


def colors(mode):
    """Returns what a picture of a mode is in colours, by Pillow's own conversion."""
    return np.asarray(picture(mode).convert("RGB"))


def grey(values):
    return np.repeat(values[..., None], 3, -1).astype("uint8")


DEEP_COLORS = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], -1)
SIXTEENTHS = (ROW + COLUMN) % 16
# The encoded image, its pixels, about so where the format loses some, and whether a SavedModel
# takes it.
KINDS = {
    "JPEG": (encode("RGB", "JPEG"), PIXELS, True),
    "JPEG, grey": (encode("L", "JPEG"), colors("L"), True),
    "JPEG, progressive": (encode("RGB", "JPEG", progressive=True), PIXELS, True),
    "JPEG, full chroma": (encode("RGB", "JPEG", subsampling=0), PIXELS, True),
    "JPEG, several": (animated("MPO"), PIXELS, True),
    "JPEG, bytes after": (encode("RGB", "JPEG") + b"more", PIXELS, True),
    "JPEG, CMYK": (encode("CMYK", "JPEG"), PIXELS, False),
    "JPEG, CMYK not Adobe's": (without_adobe(encode("CMYK", "JPEG")), PIXELS, False),
    "PNG, 1 bit": (encode("1", "PNG"), colors("1"), True),
    "PNG, grey": (encode("L", "PNG"), colors("L"), True),
    "PNG, grey, alpha": (encode("LA", "PNG"), colors("L"), True),
    "PNG, grey, one transparent": (encode("L", "PNG", transparency=9), colors("L"), True),
    "PNG, 4 bits": (png(4, 0, SIXTEENTHS[..., None]), grey(SIXTEENTHS * 17), True),
    "PNG, palette": (encode("P", "PNG"), colors("P"), True),
    "PNG, palette, alpha": (encode("P", "PNG", transparency=bytes(200)), colors("P"), True),
    "PNG, RGB": (encode("RGB", "PNG"), PIXELS, True),
    "PNG, RGB, one transparent": (encode("RGB", "PNG", transparency=(0, 0, 0)), PIXELS, True),
    "PNG, RGBA": (encode("RGBA", "PNG"), PIXELS, True),
    "PNG, interlaced": (png(8, 2, PIXELS, passes=ADAM7), PIXELS, True),
    "PNG, gamma": (png(8, 2, PIXELS, (b"gAMA", struct.pack(">I", 10**5))), PIXELS, True),
    "PNG, 16 bits": (encode("I;16", "PNG"), grey(DEEP >> 8), True),
    "PNG, 16 bits, alpha": (png(16, 4, np.dstack([DEEP, DEEP[::-1]])), grey(DEEP >> 8), True),
    "PNG, 16 bits RGB": (png(16, 2, DEEP_COLORS), DEEP_COLORS >> 8, True),
    "PNG, 16 bits RGBA": (png(16, 6, np.dstack([DEEP_COLORS, DEEP])), DEEP_COLORS >> 8, True),
    "PNG, animated": (animated("PNG"), PIXELS, True),
    "BMP": (encode("RGB", "BMP"), PIXELS, True),
    "BMP, 32 bits": (bmp(32), PIXELS, True),
    "BMP, first row first": (bmp(24, height=-HEIGHT), PIXELS, True),
    "BMP, long header": (bmp(24, header_size=124), PIXELS, True),
    "BMP, 1 bit": (encode("1", "BMP"), colors("1"), False),
    "BMP, grey": (encode("L", "BMP"), colors("L"), False),
    "BMP, palette": (encode("P", "BMP"), colors("P"), False),
    "BMP, masks": (
        bmp(32, 3, masks=struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0), header_size=56),
        *(PIXELS, False),
    ),
    "BMP, bytes after": (bmp(24, after=b"\0\0"), PIXELS, False),
    "GIF": (encode("P", "GIF"), colors("P"), False),
    "GIF, one transparent": (encode("P", "GIF", transparency=3), colors("P"), False),
    "GIF, animated": (animated("GIF"), PIXELS, False),
    "WebP": (encode("RGB", "WEBP", lossless=True), PIXELS, False),
    "WebP, alpha": (encode("RGBA", "WEBP", lossless=True, exact=True), PIXELS, False),
    "WebP, animated": (animated("WEBP", lossless=True), PIXELS, False),
    "TIFF": (encode("RGB", "TIFF", compression="tiff_lzw"), PIXELS, False),
    "TIFF, palette": (encode("P", "TIFF"), colors("P"), False),
    "TIFF, 1 bit": (encode("1", "TIFF"), colors("1"), False),
    "TIFF, 16 bits": (encode("I;16", "TIFF"), grey(DEEP >> 8), False),
    "TIFF, alpha": (encode("RGBA", "TIFF"), PIXELS, False),
    "TIFF, CMYK": (encode("CMYK", "TIFF"), colors("CMYK"), False),
    "TIFF, several": (animated("TIFF"), PIXELS, False),
    "JPEG2000": (encode("RGB", "JPEG2000"), PIXELS, False),
    "PPM": (encode("RGB", "PPM"), PIXELS, False),
    "PPM, grey": (encode("L", "PPM"), colors("L"), False),
    "ICO": (encode("RGBA", "ICO", sizes=[(WIDTH, HEIGHT)]), PIXELS, False),
}


@pytest.fixture(scope="module")
def graphs():
    """The stream's decoder, the SavedModel's and what it refuses, as functions of bytes."""
    tf = pytest.importorskip("tensorflow")
    from nasnet_keras.data import image_reader, served_images

    signature = [tf.TensorSpec((), tf.string)]
    return [
        tf.function(decode, input_signature=signature)
        for decode in (
            *(image_reader.decode_tensor, served_images.decode_served),
            served_images.refusal,
        )
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_pillow_gives_the_colours_of_every_kind(kind):
    encoded, pixels, _ = KINDS[kind]
    found = decode_image(encoded)
    assert found.shape == (HEIGHT, WIDTH, 3) and found.dtype == np.uint8
    loses = kind.split(",")[0] == "JPEG" or kind == "GIF, animated"
    assert np.abs(found.astype(int) - pixels).mean() <= (6 if loses else 0)


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", KINDS)
def test_streams_and_saved_models_give_the_same_pixels_or_refuse(kind, graphs):
    from nasnet_keras.data.image_reader import decode_crop, image_shape

    encoded, _, served = KINDS[kind]
    expected = decode_image(encoded)
    streamed = graphs[0](encoded).numpy()
    # TensorFlow's inverse DCT is another one.
    rounding = 4 if kind.split(",")[0] == "JPEG" and served else 0
    np.testing.assert_allclose(streamed.astype(int), expected, atol=rounding)
    assert image_shape(encoded).numpy().tolist() == [HEIGHT, WIDTH, 3]
    # Along a JPEG's crop, the chroma of the pixels next to it is missing.
    crop = decode_crop(encoded, 3, 5, 20, 30).numpy().astype(int)
    inner = (crop - expected[3:23, 5:35])[2:-2, 2:-2]
    assert np.abs(inner if rounding else crop - expected[3:23, 5:35]).max() <= rounding
    refused = graphs[2](encoded).numpy().decode()
    if served:
        assert refused == ""
        np.testing.assert_array_equal(graphs[1](encoded), expected)
    else:
        kind_of_image = kind.split(", ")[0]
        assert f"holds a {kind_of_image} image, but serve_bytes takes JPEG" in refused


@pytest.mark.tensorflow
@pytest.mark.parametrize(("quality", "mean", "most"), [(75, 1.1, 6), (90, 1.1, 8), (100, 2.5, 40)])
def test_rounding_of_a_photographs_jpeg_is_small(quality, mean, most, graphs):
    datasets = pytest.importorskip("sklearn.datasets")
    stream = io.BytesIO()
    photograph = datasets.load_sample_image("china.jpg")
    Image.fromarray(photograph).save(stream, "JPEG", quality=quality)
    expected = decode_image(stream.getvalue()).astype(int)
    difference = np.abs(graphs[0](stream.getvalue()).numpy() - expected)
    assert difference.mean() < mean and difference.max() <= most
    np.testing.assert_array_equal(graphs[1](stream.getvalue()), expected)


HALVES = ["JPEG", "JPEG, progressive", "PNG, RGB", "BMP", "BMP, palette", "GIF", "WebP", "TIFF"]


@pytest.mark.parametrize("kind", HALVES)
def test_half_a_file_is_refused(kind):
    encoded = KINDS[kind][0]
    for damaged in (b"", b"not a picture", encoded[: len(encoded) // 2], encoded[:9]):
        with pytest.raises(ValueError, match="not a readable image"):
            decode_image(damaged)


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", HALVES)
def test_half_a_file_is_refused_or_ends_a_graph_with_an_error(kind, graphs):
    import tensorflow as tf

    stream, served, refusal = graphs

    def serve(damaged):
        if refused := refusal(damaged).numpy().decode():
            raise tf.errors.InvalidArgumentError(None, None, refused)
        served(damaged)

    encoded = KINDS[kind][0]
    for damaged in (b"", b"not a picture", encoded[: len(encoded) // 2], encoded[:9]):
        for decode in (stream, serve):
            with pytest.raises(tf.errors.InvalidArgumentError):
                decode(damaged)


DAMAGED_TIFFS = """
import io
from PIL import Image
from nasnet_keras.data.image_reader import decode_image

for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg"):
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "TIFF", compression=compression)
    encoded = bytearray(stream.getvalue())
    start = Image.open(stream).tag_v2[273][0]
    encoded[start : start + 40] = bytes(range(215, 255))
    try:
        decode_image(bytes(encoded))
    except ValueError as error:
        print(error)
"""


def test_nothing_is_printed_about_damaged_tiffs():
    # In a process of its own: libtiff prints past Python.
    ended = subprocess.run([sys.executable, "-c", DAMAGED_TIFFS], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    # Before Pillow 11.2 the reason is the number alone.
    reasons = [line.replace("decoder error ", "") for line in ended.stdout.splitlines()]
    assert reasons == ["not a readable image: -2"] * 3


def png_of(width, height):
    encoded = KINDS["PNG, RGB"][0]
    return encoded[:16] + struct.pack(">II", width, height) + encoded[24:]


def jpeg_of(width, height):
    encoded = KINDS["JPEG"][0]
    start = encoded.index(b"\xff\xc0") + 5
    return encoded[:start] + struct.pack(">HH", height, width) + encoded[start + 4 :]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("encoded", "held"),
    [
        (png_of(30000, 20000), "an image of 30000 x 20000 pixels"),
        (png_of(8193, 8192), "an image of 8193 x 8192 pixels"),
        (png_of(2**31 - 1, 2**31 - 1), "an image of 2147483647 x 2147483647 pixels"),
        (png_of(0, 5), "an image of 0 x 5 pixels"),
        (jpeg_of(65000, 64000), "an image of 65000 x 64000 pixels"),
        (KINDS["PNG, RGB"][0][:20], "an image of 53 x 0 pixels"),
        (b"", "no bytes"),
        (b"<html>", "no known image"),
    ],
)
def test_savedmodels_refuse_by_the_header_what_would_take_their_memory(encoded, held, graphs):
    refused = graphs[2](encoded).numpy().decode()
    assert refused.startswith(f"image_bytes holds {held}, but serve_bytes takes ")
    assert graphs[2](png_of(8192, 8192)) == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [(ROW / 37, "pixels are fractions"), (ROW * 2**20, "pixels are of 32 bits or have a sign")],
)
def test_pixels_of_no_known_range_are_refused(values, message):
    stream = io.BytesIO()
    kind = "float32" if values.dtype.kind == "f" else "int32"
    Image.fromarray(values.astype(kind)).save(stream, "TIFF")
    with pytest.raises(ValueError, match=f"{message}.*8 or 16 bits a channel"):
        decode_image(stream.getvalue())


def test_files_of_other_formats_are_refused_by_name():
    message = r"no image of a format that is read \(JPEG, PNG, BMP, GIF, WebP, TIFF"
    with pytest.raises(ValueError, match=message):
        decode_image(encode("RGB", "TGA"))


def test_signatures_are_those_of_pillows_files():
    for kind, (encoded, _, _) in KINDS.items():
        (found,) = (one.name for one in FORMATS if encoded.startswith(one.signatures))
        assert found == kind.split(", ")[0]
        with open_image(io.BytesIO(encoded)) as opened:
            # Several JPEGs in one file have a name of their own.
            assert opened.format in (found.upper(), "MPO")
    extensions = Image.registered_extensions()
    for known in FORMATS:
        assert {extensions[suffix] for suffix in known.suffixes} == {known.name.upper()}


@pytest.mark.tensorflow
def test_image_folders_have_files_of_every_suffix(tmp_path):
    from nasnet_keras.data import image_batches

    first = {known.suffixes: KINDS[known.name][0] for known in FORMATS if known.name in KINDS}
    first[FORMATS[1].suffixes] = KINDS["PNG, palette"][0]
    first[FORMATS[2].suffixes] = KINDS["BMP, palette"][0]
    for suffixes, encoded in first.items():
        for suffix in suffixes:
            path = tmp_path / "test" / suffix[1:] / f"x{suffix.upper()}"
            path.parent.mkdir(parents=True)
            path.write_bytes(encoded)
    stream = image_batches("image_folder", "test", tmp_path, "scale", WIDTH, 4, training=False)
    seen = {}
    for images, labels in stream:
        seen |= {
            stream.class_names[label]: image for image, label in zip(images, labels, strict=True)
        }
    assert set(seen) == {suffix[1:] for suffix in SUFFIXES}
    for images in seen.values():
        np.testing.assert_allclose(images, seen["png"], atol=0.2)
