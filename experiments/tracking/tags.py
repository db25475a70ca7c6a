"""The tags of runs and registered models in MLflow."""

KIND = "digits.kind"
MODEL = "digits.model"
DATASET = "digits.dataset"  # that a network was trained or measured on
DATA_DIGEST = "digits.data_digest"
TARGET = "digits.target"  # domain of a transfer
RESULTS_VERSION = "digits.results"  # format of a run's table of results

# Of a training, a registered version or a process.
STUDY_RUN = "digits.study_run"  # the search that found the settings of a training
PRECISION = "digits.precision"
BACKEND = "digits.backend"
ADAPTED_FROM = "digits.adapted_from"
ADAPTATION = "digits.adaptation"
PROCESS = "digits.process"
MACHINE = "digits.machine"

# Of a search and its trials.
STUDY = "digits.study"
ENGINE = "digits.engine"
SETTINGS = "digits.settings"
PLANNED_TRIALS = "digits.trials"
BEST_PARAMS = "digits.best_params"
BEST_TRIAL = "digits.best_trial"
BEST_RUN_ID = "digits.best_run_id"
TRIAL = "digits.trial"
CONTINUES = "digits.continues"
OWNER = "digits.owner"
PRUNED_AT_EPOCH = "digits.pruned_at_epoch"
PRUNED_BECAUSE = "digits.pruned_because"


def subject_tags(model: str = "", dataset: str = "", digest: str = "", target: str = "") -> dict[str, str]:
    """Return the tags for the network and the data that a run is about, without the empty ones."""
    values = {MODEL: model, DATASET: dataset, DATA_DIGEST: digest, TARGET: target}
    return {tag: value for tag, value in values.items() if value}
