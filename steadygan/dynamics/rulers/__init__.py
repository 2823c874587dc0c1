"""What distances and objectives say as two distributions move apart."""

from steadygan.dynamics.rulers.pairs import Gaussians as Gaussians
from steadygan.dynamics.rulers.pairs import Points as Points
from steadygan.dynamics.rulers.pairs import ShiftedPair as ShiftedPair
from steadygan.dynamics.rulers.pairs import Uniforms as Uniforms
from steadygan.dynamics.rulers.read import Rulers as Rulers
from steadygan.dynamics.rulers.read import read_rulers as read_rulers

__all__ = ["Gaussians", "Points", "Rulers", "ShiftedPair", "Uniforms", "read_rulers"]
