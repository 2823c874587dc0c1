"""Every kind of finding there is, each in words; a kind nobody detects yet is listed as not assessed."""

KINDS: dict[str, str] = {
    "non_finite": "a loss, gradient, weight or sample is not a number",
    "exploding_gradient": "gradients run away from the run's own level",
    "vanishing_gradient": "the generator's gradient dies while its samples are far from the data",
    "discriminator_overpowering": "D separates with saturation and the generator makes no progress",
    "discriminator_underpowered": "D cannot separate although a simple test easily can",
    "mode_collapse": "samples are far less diverse than the data",
    "oscillation": "the game orbits without progress",
    "divergence": "the samples' distance to the data worsens persistently from its best",
    "discriminator_overfitting": "D's logits on training and validation reals part",
    "memorization": "samples sit closer to training points than validation points do",
    "stagnation": "no measurable progress long before the data is matched",
    "miswired": "a loss without effect, a player that never moves, or a gradient that leaks",
}
