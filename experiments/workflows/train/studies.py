"""Train with the hyperparameters that a search found."""

from dataclasses import replace

from experiments import datasets
from experiments.tracking import Store
from experiments.workflows.train.run import TrainOptions
from experiments.workflows.tune.record import Study, find_study

# Settings of the trials that a training does not take over: it has its own.
BUDGET = ("epochs", "seed", "precision")


def with_study(store: Store, options: TrainOptions, study: str | None = None) -> tuple[TrainOptions, Study]:
    """Return the options with the best hyperparameters of a study; the options' own settings take precedence.

    Parameters
    ----------
    study
        Its name; None for the latest study of the same model and dataset.

    Raises
    ------
    DigitsError
        If there is no such study, or it has no complete trial.
    UsageError
        If the hyperparameters do not suit the model.
    """
    dataset = datasets.load(options.dataset, options.data_dir).name  # of a folder, the name it is recorded under
    found = find_study(store, options.model, dataset, study)
    shared = {name: value for name, value in found.settings.items() if name not in BUDGET}
    settings = {**shared, **found.best_params, **options.settings}
    return replace(options, settings=settings, study_run=found.run_id), found
