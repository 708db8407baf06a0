"""The layers' arithmetic in plain NumPy, as the papers state it: slow, obvious, independent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def same_windows(
    x: np.ndarray, window: tuple[int, int], strides: tuple[int, int], dilation: int, fill: float
) -> np.ndarray:
    """Cuts the SAME windows: `(batch, rows, columns, window rows, window columns, channels)`."""
    pads, starts = [(0, 0)], []
    for size, kernel, stride in zip(x.shape[1:3], window, strides, strict=True):
        span = (kernel - 1) * dilation + 1
        count = -(-size // stride)
        total = max((count - 1) * stride + span - size, 0)
        pads.append((total // 2, total - total // 2))
        starts.append(range(0, count * stride, stride))
    padded = np.pad(x, [*pads, (0, 0)], constant_values=fill)
    rows = [
        [
            padded[
                :,
                i : i + (window[0] - 1) * dilation + 1 : dilation,
                j : j + (window[1] - 1) * dilation + 1 : dilation,
                :,
            ]
            for j in starts[1]
        ]
        for i in starts[0]
    ]
    return np.stack([np.stack(row, 1) for row in rows], 1)


def convolve(
    x: np.ndarray, kernel: np.ndarray, strides: tuple[int, int] = (1, 1), dilation: int = 1
):
    windows = same_windows(x, kernel.shape[:2], strides, dilation, 0.0)
    return np.einsum("nhwijc,ijcf->nhwf", windows, kernel)


def depthwise(x: np.ndarray, kernel: np.ndarray, stride: int = 1, dilation: int = 1) -> np.ndarray:
    windows = same_windows(x, kernel.shape[:2], (stride, stride), dilation, 0.0)
    return np.einsum("nhwijc,ijc->nhwc", windows, kernel[..., 0])


def pool(x: np.ndarray, size: int, stride: int, reduce: Callable[..., np.ndarray]) -> np.ndarray:
    """Pools with `np.nanmean`, `np.nanmax` or `np.nanmin`: padding is never counted."""
    windows = same_windows(x, (size, size), (stride, stride), 1, np.nan)
    return reduce(windows, axis=(3, 4))


def batch_norm(x: np.ndarray, weights: dict[str, np.ndarray], scope: str, epsilon: float):
    mean, variance = weights[f"{scope}/moving_mean"], weights[f"{scope}/moving_variance"]
    scale = weights[f"{scope}/gamma"] / np.sqrt(variance + epsilon)
    return (x - mean) * scale + weights[f"{scope}/beta"]
