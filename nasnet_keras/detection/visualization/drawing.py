"""Boxes with names and scores drawn on an image, with Pillow alone."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]
RED: Color = (255, 64, 64)
GREEN: Color = (64, 220, 96)
BLUE: Color = (80, 170, 255)
YELLOW: Color = (255, 210, 40)
GREY: Color = (170, 170, 170)

# Steps of the golden ratio around the colour wheel: classes next to each other look different.
_HUE_STEP = 0.618034
_DASH = 5


def class_color(label: int) -> Color:
    """Returns the colour of a class, always the same one."""
    red, green, blue = colorsys.hsv_to_rgb((label * _HUE_STEP) % 1, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_boxes(
    image: np.ndarray | Image.Image,
    boxes: np.ndarray,
    names: Sequence[str] | None = None,
    scores: np.ndarray | None = None,
    colors: Sequence[Color] | None = None,
    dashed: Sequence[bool] | None = None,
    font_size: int | None = None,
) -> Image.Image:
    """Draws boxes with labels that can be read.

    A label is on a background of its box's colour, above the box where there is room, otherwise
    below or inside, and avoids earlier labels.

    Args:
        image: `(height, width, 3)`, uint8, or a picture.
        boxes: `(n, 4)`: top, left, bottom, right in pixels; what leaves the image is cut off.
        names: The name of each box; empty for no label.
        scores: The score of each box, shown with two digits.
        colors: The colour of each box. Default: one for each name.
        dashed: Whether each box is drawn with a dashed line.
        font_size: In pixels. Default: by the size of the image.

    Returns:
        A new picture.

    Raises:
        ValueError: The numbers of names, scores, colours or dashes and of boxes differ.
    """
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture = picture.convert("RGB").copy()
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    given = {"names": names, "scores": scores, "colors": colors, "dashed": dashed}
    for what, values in given.items():
        if values is not None and len(values) != len(boxes):
            raise ValueError(f"there are {len(boxes)} boxes and {len(values)} {what}")
    if colors is None:
        known = {name: index for index, name in enumerate(sorted(set(names or ())))}
        colors = [class_color(known[name]) for name in names] if names else [YELLOW] * len(boxes)
    side = min(picture.size)
    font = ImageFont.load_default(font_size or int(np.clip(side / 32, 11, 28)))
    line = max(2, round(side / 250))
    drawing = ImageDraw.Draw(picture)
    # Large boxes first: what lies inside them stays in sight.
    order = np.argsort(
        -(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), kind="stable"
    ).tolist()
    for row in order:
        _outline(drawing, boxes[row], colors[row], line, bool(dashed is not None and dashed[row]))
    taken: list[tuple[float, float, float, float]] = []
    for row in order:
        words = [str(names[row])] if names and names[row] else []
        words += [f"{scores[row]:.2f}"] if scores is not None else []
        if words:
            _label(drawing, picture.size, boxes[row], " ".join(words), colors[row], font, taken)
    return picture


def _outline(
    drawing: ImageDraw.ImageDraw, box: np.ndarray, color: Color, line: int, dashed: bool
) -> None:
    width, height = drawing.im.size
    # The line lies on the pixels just inside the box.
    top, left, bottom, right = (round(edge) for edge in box)
    top, left = int(np.clip(top, 0, height - 1)), int(np.clip(left, 0, width - 1))
    bottom = int(np.clip(bottom - 1, top, height - 1))
    right = int(np.clip(right - 1, left, width - 1))
    if not dashed:
        # A dark hairline around it, so that the line shows on any background.
        drawing.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=(0, 0, 0))
        drawing.rectangle((left, top, right, bottom), outline=color, width=line)
        return
    for x in range(left, right + 1, 2 * _DASH):
        end = min(x + _DASH - 1, right)
        drawing.rectangle((x, top, end, min(top + line - 1, bottom)), color)
        drawing.rectangle((x, max(bottom - line + 1, top), end, bottom), color)
    for y in range(top, bottom + 1, 2 * _DASH):
        end = min(y + _DASH - 1, bottom)
        drawing.rectangle((left, y, min(left + line - 1, right), end), color)
        drawing.rectangle((max(right - line + 1, left), y, right, end), color)


def _label(
    drawing: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: np.ndarray,
    text: str,
    color: Color,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    taken: list[tuple[float, float, float, float]],
) -> None:
    text_left, text_top, text_right, text_bottom = font.getbbox(text)
    width, height = text_right - text_left + 4, text_bottom - text_top + 4
    top, left, bottom, right = box
    places = [
        (left, top - height),
        (left, bottom),
        (left, top),
        (right - width, top - height),
        (right - width, bottom),
        (right - width, bottom - height),
        (right, top),
        (left - width, top),
    ]

    def overlap(place: tuple[float, float]) -> float:
        x, y = place
        return sum(
            max(0.0, min(x + width, x2) - max(x, x1)) * max(0.0, min(y + height, y2) - max(y, y1))
            for x1, y1, x2, y2 in taken
        )

    inside = [
        (
            float(np.clip(x, 0, max(size[0] - width, 0))),
            float(np.clip(y, 0, max(size[1] - height, 0))),
        )
        for x, y in places
    ]
    # Of the places that cover least of earlier labels, the first.
    x, y = min(inside, key=overlap)
    x, y = round(x), round(y)
    taken.append((x, y, x + width, y + height))
    drawing.rectangle((x, y, x + width - 1, y + height - 1), fill=color)
    red, green, blue = color
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    ink = (0, 0, 0) if luma > 120 else (255, 255, 255)
    drawing.text((x + 2 - text_left, y + 2 - text_top), text, ink, font)


def with_side(
    picture: Image.Image | np.ndarray,
    side: int,
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    """Resizes a picture so that its longer side is `side` pixels long.

    Args:
        picture: The picture, or pixels `(height, width, 3)` of any type, in [0, 255].
        side: The longer side of the result.
        resampling: How to interpolate.
    """
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(np.clip(np.round(picture), 0, 255).astype(np.uint8))
    factor = side / max(picture.size)
    width, height = (max(1, round(length * factor)) for length in picture.size)
    return picture.resize((width, height), resampling)


def contact_sheet(
    pictures: Sequence[Image.Image],
    captions: Sequence[str] | None = None,
    columns: int = 4,
    cell: int = 300,
    title: str = "",
) -> Image.Image:
    """Puts pictures in rows, each with its caption.

    Args:
        pictures: The pictures, resized to the cells.
        captions: A line for each, cut off if too long.
        columns: Pictures a row.
        cell: Side of the cells, in pixels.
        title: A line at the top.

    Returns:
        The sheet.

    Raises:
        ValueError: There is no picture, or the numbers of pictures and captions differ.
    """
    if not pictures:
        raise ValueError("there are no pictures for a contact sheet")
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f"there are {len(pictures)} pictures and {len(captions)} captions")
    font, large = ImageFont.load_default(13), ImageFont.load_default(18)
    gap, line, head = 8, 20 if captions else 0, 34 if title else 0
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new(
        "RGB",
        (columns * (cell + gap) + gap, head + rows * (cell + line + gap) + gap),
        (24, 24, 28),
    )
    drawing = ImageDraw.Draw(sheet)
    if title:
        drawing.text((gap, gap), title, (255, 255, 255), large)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        x, y = gap + column * (cell + gap), head + gap + row * (cell + line + gap)
        fitted = with_side(picture, cell, Image.Resampling.LANCZOS)
        sheet.paste(fitted, (x + (cell - fitted.width) // 2, y + (cell - fitted.height) // 2))
        if captions:
            text = _cut(captions[index], font, cell)
            drawing.text((x, y + cell + 3), text, (225, 225, 225), font)
    return sheet


def _cut(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
