"""Cells of one block, for tests in which some network has to be trained, whichever it is.

TensorFlow traces a step of them in a fraction of the time that NASNet-A's five blocks take.
"""

import nasnet_keras as nk

CELL = nk.CellGenotype(
    (nk.Block(nk.Branch("separable_3x3", 0), nk.Branch("identity", 1)),), concat=(2,)
)
GENOTYPE = nk.Genotype("one_block", CELL, CELL)
