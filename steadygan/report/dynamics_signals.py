"""What the report says of a game's dynamics along the checkpoints."""

from steadygan.report.entry import Entry

DYNAMICS_SIGNALS: dict[str, Entry] = {
    "spectral_radius": Entry(
        "radius",
        "",
        "By how much one plain step of the run's rule multiplies the deviation that grows fastest.",
        "At most a little above 1; adaptive optimizers rescale it.",
    ),
    "flow_rate": Entry(
        "slowest",
        "",
        "Smallest real part of the eigenvalues of the players' joint gradient flow.",
        "Above or near 0; clearly below 0 the game is leaving this point.",
    ),
    "flow_radius": Entry(
        "largest",
        "",
        "Largest modulus of those eigenvalues: how fast the fastest direction moves.",
        "Steady; its growth calls for smaller learning rates.",
    ),
    "rotation": Entry(
        "imaginary share",
        "",
        "Imaginary share of the eigenvalues at the rims of the spectrum.",
        "Well below 1; near 1 the game only rotates.",
    ),
    "hamiltonian_share": Entry(
        "Hamiltonian share",
        "",
        "Share of the antisymmetric part in the field's Jacobian, estimated from random vectors.",
        "Below 1; the rest is what descent can use.",
    ),
    "curvature_g": Entry(
        "G",
        "",
        "Smallest eigenvalue of G's own Hessian.",
        "0 or above at a Nash equilibrium; below it G alone would move away, and D holds it.",
    ),
    "curvature_d": Entry(
        "D",
        "",
        "Smallest eigenvalue of D's own Hessian.",
        "0 or above at a Nash equilibrium.",
    ),
}
