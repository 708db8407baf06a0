"""Networks in 8 bits: calibrated on pictures, scored on others, refused where too much is lost."""

from nasnet_keras.export.quantization.pictures import QuantizationPictures, quantization_pictures
from nasnet_keras.export.quantization.quantize import FORMATS, check_quantization, quantize
from nasnet_keras.export.quantization.search import Quantized

__all__ = [
    "FORMATS",
    "QuantizationPictures",
    "Quantized",
    "check_quantization",
    "quantization_pictures",
    "quantize",
]
