"""Drawings of cells and of layer-wise networks."""

from nasnet_keras.visualization.genotype_drawing import draw_genotype, genotype_svg

__all__ = ["draw_genotype", "genotype_svg"]
