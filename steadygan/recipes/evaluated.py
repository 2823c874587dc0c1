"""The ``evaluate`` section of a recipe as an observer of its run."""

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation.during import Evaluating
from steadygan.evaluation.preparation import Preparation
from steadygan.recipes.assemble import Parts
from steadygan.recipes.features import make_feature_map
from steadygan.recipes.opened_run import places_of, reals_of
from steadygan.recipes.schema import Recipe
from steadygan.training.loop import Every
from steadygan.training.run import Run


def make_evaluating(recipe: Recipe, parts: Parts, run: Run) -> Evaluating | None:
    """The observer; None where the recipe asks for no evaluation, or the data gives nothing to measure against.

    Raises:
        ConfigError: naming the key.
    """
    asked = recipe.evaluate
    if not asked.num:
        if asked.every or asked.best:
            raise ConfigError(
                "evaluate.num must be > 0 where evaluate.every or evaluate.best is set; 2000 is usual."
            )
        return None
    how = Preparation(num=asked.num, seed=recipe.seed)
    try:
        real = reals_of(parts.source, how)
        return Evaluating(
            source=parts.source,
            latent=parts.latent,
            real=real,
            how=how,
            through=make_feature_map(asked.features, how).fitted(real),
            metrics=asked.metrics,
            seed=recipe.seed,
            when=Every(asked.every),
            saved=Every(recipe.checkpoint.every),
            best=asked.best,
            places=places_of(parts.source),
            background=run.engine.device.type == "cuda",
        )
    except ConfigError as error:
        raise ConfigError(f"evaluate: {error}") from error
    except DataError as error:
        if asked.metrics or asked.every or asked.best:
            raise DataError(f"evaluate: {error}") from error
        return None  # a point mass, or a handful of samples: nothing was asked for, nothing can be said
