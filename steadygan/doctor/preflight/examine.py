"""All checks before step 1, and the diagnosis they add up to."""

from collections.abc import Mapping

from steadygan.doctor.diagnosis import Diagnosis
from steadygan.doctor.findings import SEVERITIES, Finding
from steadygan.doctor.preflight.batch_norm_in_critic import batch_norm_in_critic
from steadygan.doctor.preflight.check import Check, Unassessed
from steadygan.doctor.preflight.column_logits import column_logits
from steadygan.doctor.preflight.critic_bounds import momentum_with_clipping, unbounded_critic
from steadygan.doctor.preflight.data_range import data_range
from steadygan.doctor.preflight.dead_gradient import dead_gradient
from steadygan.doctor.preflight.duplicate_data import duplicate_data
from steadygan.doctor.preflight.gradient_scale import gradient_scale
from steadygan.doctor.preflight.labels import labels
from steadygan.doctor.preflight.latent_ignored import latent_ignored
from steadygan.doctor.preflight.optimizer import optimizer
from steadygan.doctor.preflight.preparation import Preparation
from steadygan.doctor.preflight.sigmoid_under_logits import sigmoid_under_logits
from steadygan.doctor.preflight.stand_in import LabelsOutOfRange

CHECKS: Mapping[str, Check] = {
    "preflight_labels": labels,
    "preflight_data_range": data_range,
    "preflight_duplicate_data": duplicate_data,
    "preflight_latent_ignored": latent_ignored,
    "preflight_optimizer": optimizer,
    "preflight_dead_gradient": dead_gradient,
    "preflight_gradient_scale": gradient_scale,
    "preflight_column_logits": column_logits,
    "preflight_sigmoid_under_logits": sigmoid_under_logits,
    "preflight_batch_norm_in_critic": batch_norm_in_critic,
    "preflight_momentum_with_clipping": momentum_with_clipping,
    "preflight_unbounded_critic": unbounded_critic,
}
"""Kind of finding -> the check that states it."""


def examine_preparation(
    preparation: Preparation, checks: Mapping[str, Check] = CHECKS
) -> Diagnosis:
    """What every check has to say, worst first; a check that fails is "not assessed", and says why."""
    findings: list[Finding] = []
    not_assessed: dict[str, str] = {}
    for kind, check in checks.items():
        said, reason = _asked(check, preparation)
        findings += said
        if reason:
            not_assessed[kind] = reason
    return Diagnosis(
        steps=0,
        findings=tuple(sorted(findings, key=lambda f: -SEVERITIES.index(f.severity))),
        not_assessed=not_assessed,
        assessed=len(not_assessed) < len(checks),
    )


def _asked(check: Check, preparation: Preparation) -> tuple[list[Finding], str]:
    """The check's findings, those before a failure included, and why there are no more."""
    said: list[Finding] = []
    try:
        said.extend(check(preparation))
    except Unassessed as reason:
        return said, str(reason)
    except LabelsOutOfRange:
        return said, "the networks cannot be run with these labels"
    except Exception as error:  # a bystander never stops a training: neither may its checks
        return (
            said,
            f"the check failed with {type(error).__name__}: {str(error).partition(chr(10))[0]}",
        )
    return said, ""
