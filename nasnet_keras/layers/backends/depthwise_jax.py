"""The depthwise convolution on JAX's CPU: shifted images times numbers, added up."""

from __future__ import annotations

from typing import Any


def convolve_on_jax(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    """Convolves each channel by itself, in additions that XLA makes one loop of.

    XLA's own grouped convolution takes 7 to 20 times as long on a CPU, and for the gradient of a
    strided one's image convolves an image that is mostly zeros.

    Args:
        x: Float32, `(batch, height, width, channels)`; only the batch may be unknown.
        kernel: `(height, width, channels, 1)`.
        stride: Of rows and columns.
        padding: `"same"` or `"valid"`.

    Returns:
        The image convolved.
    """
    import jax

    @jax.custom_vjp
    def convolve(x: Any, kernel: Any) -> Any:
        return _add_taps(_pad(x, kernel, stride, padding), kernel, stride)

    def forward(x: Any, kernel: Any) -> tuple[Any, Any]:
        return convolve(x, kernel), (x, kernel)

    def backward(saved: tuple[Any, Any], upstream: Any) -> tuple[Any, Any]:
        return (
            _gradient_of_image(*saved, upstream, stride, padding),
            _gradient_of_kernel(*saved, upstream, stride, padding),
        )

    convolve.defvjp(forward, backward)
    return convolve(x, kernel)


def _border(side: int, window: int, stride: int, padding: str) -> tuple[int, int]:
    """Returns how many zeros stand before an image's rows or columns, and after them."""
    if padding == "valid":
        return 0, 0
    missing = max((-(-side // stride) - 1) * stride + window - side, 0)
    return missing // 2, missing - missing // 2


def _borders(x: Any, kernel: Any, stride: int, padding: str) -> list[tuple[int, int]]:
    return [_border(x.shape[axis], kernel.shape[axis - 1], stride, padding) for axis in (1, 2)]


def _pad(x: Any, kernel: Any, stride: int, padding: str) -> Any:
    import jax.numpy as jnp

    return jnp.pad(x, [(0, 0), *_borders(x, kernel, stride, padding), (0, 0)])


def _add_taps(x: Any, kernel: Any, stride: int = 1) -> Any:
    """Returns the convolution without padding."""
    from jax import lax

    # Else XLA computes what the image is made of anew for each pixel of the window, and the sum
    # anew for each use.
    x = lax.optimization_barrier(x)
    rows, columns = (x.shape[axis] - kernel.shape[axis - 1] + 1 for axis in (1, 2))
    y = sum(
        x[:, row : row + rows : stride, column : column + columns : stride] * kernel[row, column].T
        for row in range(kernel.shape[0])
        for column in range(kernel.shape[1])
    )
    return lax.optimization_barrier(y)


def _gradient_of_image(x: Any, kernel: Any, upstream: Any, stride: int, padding: str) -> Any:
    """Returns the gradient of an image.

    Pixels whose rows and columns leave the same remainders by the stride have seen the same part
    of the kernel; each of these images is a convolution of its own without stride.
    """
    import jax.numpy as jnp

    sides = [x.shape[axis] for axis in (1, 2)]
    before = [first for first, _ in _borders(x, kernel, stride, padding)]
    # Rows and columns of each of the images, with the border.
    counts = [-(-(side + first) // stride) for side, first in zip(sides, before, strict=True)]
    phases = []
    for row in range(stride):
        for column in range(stride):
            part = kernel[row::stride, column::stride][::-1, ::-1]
            # A remainder beyond the kernel's side has been seen by nothing.
            if 0 in part.shape[:2]:
                phases.append(jnp.zeros((x.shape[0], *counts, x.shape[3]), x.dtype))
                continue
            margins = [
                (part.shape[axis] - 1, counts[axis] - upstream.shape[axis + 1]) for axis in (0, 1)
            ]
            phases.append(_add_taps(_fit(upstream, margins), part))
    if stride == 1:
        (image,) = phases
    else:
        image = jnp.stack(phases, axis=3).reshape(x.shape[0], *counts, stride, stride, x.shape[3])
        image = image.transpose(0, 1, 3, 2, 4, 5).reshape(
            x.shape[0], counts[0] * stride, counts[1] * stride, x.shape[3]
        )
    rows, columns = (slice(first, first + side) for first, side in zip(before, sides, strict=True))
    return image[:, rows, columns]


def _gradient_of_kernel(x: Any, kernel: Any, upstream: Any, stride: int, padding: str) -> Any:
    """Returns the gradient of a kernel: a sum for each pixel of the window, in one pass.

    XLA's own is a convolution of every channel with every other. As many sums as the window has
    pixels, each a loop of its own, would take up to ten times as long to compile.
    """
    import jax.numpy as jnp
    from jax import lax

    x, upstream = lax.optimization_barrier((_pad(x, kernel, stride, padding), upstream))
    rows, columns = ((count - 1) * stride + 1 for count in upstream.shape[1:3])
    products = [
        x[:, row : row + rows : stride, column : column + columns : stride] * upstream
        for row in range(kernel.shape[0])
        for column in range(kernel.shape[1])
    ]
    # Each image by itself at first, because a long sum loses digits.
    sums = lax.reduce(
        products,
        [jnp.zeros((), x.dtype)] * len(products),
        lambda sums, terms: [one + other for one, other in zip(sums, terms, strict=True)],
        dimensions=(1, 2),
    )
    return jnp.stack(sums).sum(axis=1).reshape(kernel.shape)


def _fit(x: Any, margins: list[tuple[int, int]]) -> Any:
    """Returns an image with rows and columns of zeros around it, or with some less at its end."""
    import jax.numpy as jnp

    for axis, (_, after) in enumerate(margins, start=1):
        if after < 0:
            x = x[(slice(None),) * axis + (slice(x.shape[axis] + after),)]
    return jnp.pad(x, [(0, 0), *((first, max(after, 0)) for first, after in margins), (0, 0)])
