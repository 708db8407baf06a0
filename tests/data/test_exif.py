"""Images are turned as `PIL.ImageOps.exif_transpose` turns them, in Python and in graphs."""

import io
import itertools
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from nasnet_keras.data.exif import exif_orientation, image_orientation
from nasnet_keras.data.image_reader import decode_image, open_image

HEIGHT, WIDTH = 96, 160
ROW, COLUMN = np.mgrid[:HEIGHT, :WIDTH]
PIXELS = np.stack([COLUMN, ROW * 2, ROW * COLUMN // 60], -1).astype("uint8")
FORMATS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {"compression": "tiff_lzw"},
}
TAG = 0x0112


def exif(orientation, order="<"):
    tag = Image.Exif()
    tag.endian = order
    # Cameras write their names, which lie after the directory.
    tag[0x010F], tag[0x0110] = "a maker", "the model of a camera"
    tag[TAG] = orientation
    return tag.tobytes()


def encode(file_format, exif=None):
    stream = io.BytesIO()
    options = FORMATS[file_format] | ({} if exif is None else {"exif": exif})
    Image.fromarray(PIXELS).save(stream, file_format, **options)
    return stream.getvalue()


def with_segments(*segments):
    """Returns a JPEG with these marker segments before its own."""
    jpeg = encode("JPEG")
    parts = [
        b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data for kind, data in segments
    ]
    return jpeg[:2] + b"".join(parts) + jpeg[2:]


def by_pillow(encoded):
    with Image.open(io.BytesIO(encoded)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


@pytest.fixture(scope="module")
def graphs():
    """The stream's functions of an upright image and the SavedModel's, as functions of bytes."""
    tf = pytest.importorskip("tensorflow")
    from nasnet_keras.data import image_reader as reader
    from nasnet_keras.data.served_images import decode_served

    def stream(encoded):
        orientation = reader.orientation_tensor(encoded)
        return (
            reader.decode_tensor(encoded, orientation),
            reader.image_shape(encoded, orientation),
            reader.decode_crop(encoded, 10, 21, 30, 41, orientation),
        )

    signature = [tf.TensorSpec((), tf.string)]
    return [tf.function(each, input_signature=signature) for each in (stream, decode_served)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", FORMATS)
def test_images_are_upright_unless_asked_for_as_stored(file_format, orientation, order):
    encoded = encode(file_format, exif(orientation, order))
    np.testing.assert_array_equal(decode_image(encoded), by_pillow(encoded))
    stored = decode_image(encoded, upright=False)
    np.testing.assert_allclose(stored.astype(int), PIXELS, atol=9 if file_format == "JPEG" else 0)


@pytest.mark.tensorflow
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", FORMATS)
def test_streams_and_saved_models_turn_as_pillow_does(file_format, orientation, order, graphs):
    encoded = encode(file_format, exif(orientation, order))
    expected = by_pillow(encoded)
    rounding = 4 if file_format == "JPEG" else 0
    image, shape, crop = (each.numpy() for each in graphs[0](encoded))
    np.testing.assert_allclose(image.astype(int), expected, atol=rounding)
    assert shape.tolist() == list(expected.shape)
    np.testing.assert_allclose(crop.astype(int), expected[10:40, 21:62], atol=rounding)
    if file_format in ("JPEG", "PNG"):
        np.testing.assert_array_equal(graphs[1](encoded), expected)


SIDEWAYS = exif(6)
XMP = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation="6"/>'
FILLED = with_segments((0xE1, SIDEWAYS)).replace(b"\xff\xe1", b"\xff\xff\xff\xe1", 1)
# JPEGs and their orientation.
KINDS = {
    "none": (with_segments(), 1),
    "empty": (with_segments((0xE1, b"")), 1),
    "no TIFF": (with_segments((0xE1, b"Exif\0\0")), 1),
    "cut off in its header": (with_segments((0xE1, SIDEWAYS[:12])), 1),
    "cut off before its tags": (with_segments((0xE1, SIDEWAYS[:17])), 1),
    "cut off within its tags": (with_segments((0xE1, SIDEWAYS[:50])), 1),
    "cut off after its tags": (with_segments((0xE1, SIDEWAYS[:60])), 1),
    "another byte order": (with_segments((0xE1, SIDEWAYS.replace(b"II*", b"IM*"))), 1),
    "orientation 0": (with_segments((0xE1, exif(0))), 1),
    "orientation 9": (with_segments((0xE1, exif(9))), 1),
    "a directory far away": (
        with_segments((0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\0" * 9)),
        1,
    ),
    "a segment of no known kind": (with_segments((0xE1, b"Exit" + SIDEWAYS)), 1),
    "XMP only": (with_segments((0xE1, XMP)), 1),
    "after others": (with_segments((0xE2, b"ICC" * 900), (0xFE, b"Exif"), (0xE1, SIDEWAYS)), 6),
    "twice": (with_segments((0xE1, SIDEWAYS), (0xE1, exif(8))), 6),
    "of a picture within": (with_segments((0xED, with_segments((0xE1, SIDEWAYS)))), 1),
    "of a picture after": (with_segments() + with_segments((0xE1, SIDEWAYS)), 1),
    "after filling bytes": (FILLED, 6),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_and_unusual_exif_turns_nothing_by_mistake(kind):
    encoded, orientation = KINDS[kind]
    with open_image(io.BytesIO(encoded)) as image:
        assert image_orientation(image) == orientation
    sides = (WIDTH, HEIGHT) if orientation > 4 else (HEIGHT, WIDTH)
    assert decode_image(encoded).shape == (*sides, 3)


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", KINDS)
def test_graphs_understand_unusual_exif_as_python_does(kind, graphs):
    encoded, _ = KINDS[kind]
    expected = decode_image(encoded)
    np.testing.assert_allclose(graphs[0](encoded)[0].numpy().astype(int), expected, atol=4)
    np.testing.assert_array_equal(graphs[1](encoded), expected)


@pytest.mark.tensorflow
def test_graphs_and_python_agree_on_exif_with_random_damage():
    import tensorflow as tf

    from nasnet_keras.data.exif import orientation_in_graph

    graph = tf.function(orientation_in_graph, input_signature=[tf.TensorSpec((), tf.string)])
    random = np.random.default_rng(0)
    found = set()
    for _ in range(300):
        data = bytearray(exif(int(random.integers(1, 9)), random.choice(["<", ">"])))
        for place in random.integers(6, len(data), random.integers(4)):
            data[place] = random.integers(256)
        data = bytes(data[: random.integers(len(data)) if random.random() < 0.2 else None])
        chunk = struct.pack(">I", len(data[6:])) + b"eXIf" + data[6:]
        png = encode("PNG")
        for encoded in (with_segments((0xE1, data)), png[:33] + chunk + b"\0\0\0\0" + png[33:]):
            assert int(graph(encoded)) == exif_orientation(data), data
        found.add(exif_orientation(data))
    assert found == set(range(1, 9))


@pytest.mark.tensorflow
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("preprocessing", ["scale", "inception", "cifar"])
def test_image_folders_are_read_upright_unless_told_otherwise(tmp_path, preprocessing, training):
    from nasnet_keras.data import image_batches

    bright_above = np.zeros((64, 64, 3), "uint8")
    bright_above[:32] = 255
    path = tmp_path / "test" / "a" / "x.jpg"
    path.parent.mkdir(parents=True)
    Image.fromarray(bright_above).save(path, exif=exif(6))

    def change_down_the_columns(**options):
        arguments = ("image_folder", "test", tmp_path, preprocessing, 64, 1, training)
        batches = itertools.islice(image_batches(*arguments, **options), 5)
        # Without the border that "cifar" adds.
        return max(images[0, 16:48].std(axis=0).max() for images, _ in batches)

    # Upright, the right half is bright.
    assert change_down_the_columns() < 0.2
    assert change_down_the_columns(exif_orientation=False) > 0.5
