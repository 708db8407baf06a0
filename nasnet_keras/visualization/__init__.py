"""Drawings of cells."""

from nasnet_keras.visualization.genotype_drawing import draw_genotype, genotype_svg

__all__ = ["draw_genotype", "genotype_svg"]
