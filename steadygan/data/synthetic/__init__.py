"""Endless synthetic sets whose truth is known: modes, widths, curves."""

from steadygan.data.synthetic.dirac import Dirac as Dirac
from steadygan.data.synthetic.grid import Grid as Grid
from steadygan.data.synthetic.moons import Moons as Moons
from steadygan.data.synthetic.ring import Ring as Ring
from steadygan.data.synthetic.swiss_roll import SwissRoll as SwissRoll
from steadygan.data.synthetic.synthetic import Synthetic as Synthetic

__all__ = ["Synthetic", "Dirac", "Grid", "Moons", "Ring", "SwissRoll"]
