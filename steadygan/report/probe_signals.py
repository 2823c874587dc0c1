"""What probes, hooks and imported logs record, for the glossary."""

from steadygan.report.entry import Entry

PROBE_SIGNALS: dict[str, Entry] = {
    "precision": Entry(
        "precision",
        "",
        "Share of generated samples that lie among the reals.",
        "Rises to about 0.95; low, samples lie where no data is. High alone may be a collapse.",
    ),
    "effective_rank": Entry(
        "effective rank",
        "",
        "How many directions samples spread in, relative to the data.",
        "Near 1; well below, samples lie flat: on a line, or on one mode.",
    ),
    "modes": Entry(
        "clusters reached",
        "",
        "Share of the data's clusters that get at least a fifth of the samples due to them.",
        "Rises to 1; a lasting fall is lost modes, seen even where the spread stays.",
    ),
    "mode_shift": Entry(
        "shift",
        "",
        "Share of samples that would have to change their cluster to match the data.",
        "Falls to about 0.15, what 256 perfect samples get; rising, the generator prefers some modes.",
    ),
    "duplicates": Entry(
        "duplicates",
        "",
        "Share of generated samples closer to another one than all but 1% of reals are to theirs.",
        "About 0.01; well above, the generator repeats itself.",
    ),
    "fixed_z_drift": Entry(
        "drift",
        "",
        "How far the samples of fixed latents moved since the last probe, in mean distances of reals.",
        "Falls as the training settles; lasting motion without progress is an orbit.",
    ),
    "auc": Entry(
        "D ranks",
        "",
        "Chance that D gives a real the higher logit than a generated sample.",
        "Between 0.5 and 0.9; near 1 for long D overpowers, 0.5 while samples are bad it is blind.",
    ),
    "auc_train": Entry(
        "training reals",
        "",
        "The same chance for reals that D trains on.",
        "Close to that of validation reals; a gap means D has learnt them by heart.",
    ),
    "auc_validation": Entry(
        "validation reals",
        "",
        "The same chance for reals that D never saw.",
        "Close to that of training reals.",
    ),
    "d_prime": Entry(
        "d prime",
        "",
        "Gap between D's mean logits on reals and fakes, in units of their spread.",
        "Below 3; a lasting gap far above means D separates without effort.",
    ),
    "logit_spread": Entry(
        "spread",
        "",
        "Spread of D's logits within reals and within fakes.",
        "Well above 0; near 0 D says the same of everything.",
    ),
    "logit_real_std": Entry("real", "", "Spread of D's logits on reals.", "Well above 0."),
    "logit_fake_std": Entry(
        "fake", "", "Spread of D's logits on generated samples.", "Well above 0."
    ),
    "logit_validation": Entry(
        "validation",
        "",
        "D's mean logit on reals it never saw.",
        "Close to logit_real; far below means D overfits.",
    ),
    "accuracy": Entry(
        "accuracy",
        "",
        "Share of reals above logit 0 and of generated samples below it, averaged.",
        "0.5 to 0.8 for objectives whose logits are centred; means nothing for Wasserstein critics.",
    ),
    "saturated_real": Entry(
        "real",
        "",
        "Share of reals with a logit above 6.9: D is 99.9% certain of them.",
        "Small; near 1 the loss no longer tells D anything.",
    ),
    "saturated_fake": Entry(
        "fake",
        "",
        "Share of generated samples with a logit below -6.9: D is 99.9% certain of them.",
        "Small; near 1 a saturating generator loss has no gradient.",
    ),
    "input_grad_real": Entry(
        "at reals",
        "",
        "Norm of D's slope at reals.",
        "Bounded; under R1 small, under WGAN-GP near 1.",
    ),
    "input_grad_fake": Entry(
        "at fakes",
        "",
        "Norm of D's slope at generated samples: what G learns from.",
        "Bounded and not 0.",
    ),
    "input_grad_between": Entry(
        "in between",
        "",
        "Norm of D's slope on the way from fakes to reals, where WGAN-GP holds it.",
        "Near 1 under WGAN-GP, at most 1 under LP; growing without end, nothing limits D.",
    ),
    "update_ratio_g": Entry(
        "G",
        "",
        "Size of a step relative to G's weights.",
        "Steady, 1e-4 to 1e-2; exactly 0 means G never moves.",
    ),
    "update_ratio_d": Entry(
        "D",
        "",
        "Size of a step relative to D's weights.",
        "Steady, 1e-4 to 1e-2; exactly 0 means D never moves.",
    ),
    "momentum_g": Entry(
        "G",
        "",
        "The generator's momentum: Adam's first beta, or SGD's momentum.",
        "As set; 0 to 0.5 suits games, from 0.8 on orbits are likely.",
    ),
    "momentum_d": Entry(
        "D",
        "",
        "The discriminator's momentum: Adam's first beta, or SGD's momentum.",
        "As set; 0 to 0.5 suits games, from 0.8 on orbits are likely.",
    ),
    "weight_norm_g": Entry(
        "G",
        "",
        "Norm of those of G's weights that the step moves.",
        "Changes slowly; a jump means that weights were replaced or that one step blew them up.",
    ),
    "weight_norm_d": Entry(
        "D",
        "",
        "Norm of those of D's weights that the step moves.",
        "Changes slowly; a jump means that weights were replaced or that one step blew them up.",
    ),
    "grad_cosine_g": Entry(
        "G",
        "",
        "Cosine between successive gradients of G.",
        "Above -0.2; lasting values below mean that steps overshoot.",
    ),
    "grad_cosine_d": Entry(
        "D",
        "",
        "Cosine between successive gradients of D.",
        "Above -0.2; lasting values below mean that steps overshoot.",
    ),
    "loss_scale_g": Entry(
        "G",
        "",
        "Factor on G's loss against float16 underflow.",
        "Settles; falling without end, the gradients really are infinite.",
    ),
    "loss_scale_d": Entry(
        "D",
        "",
        "Factor on D's loss against float16 underflow.",
        "Settles; falling without end, the gradients really are infinite.",
    ),
    "c2st": Entry(
        "two-sample test",
        "",
        "Share of held-out samples a linear classifier on fixed features tells right.",
        "Falls towards 0.5.",
    ),
    "nn_train": Entry(
        "to training reals",
        "",
        "Median distance of generated samples to the nearest training real.",
        "Not below that of validation reals: closer means copies.",
    ),
    "nn_validation": Entry(
        "of validation reals",
        "",
        "Median distance of validation reals to the nearest training real.",
        "Constant: the yardstick of nn_train.",
    ),
    "prob_real": Entry(
        "real",
        "",
        "D's mean probability of real on reals, as imported logs have it.",
        "Between 0.5 and 0.9.",
    ),
    "prob_fake": Entry(
        "fake",
        "",
        "D's mean probability of real on generated samples, as imported logs have it.",
        "Between 0.1 and 0.5.",
    ),
}
