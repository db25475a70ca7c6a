"""How hyperparameters were found."""

import json

from experiments.reporting.page import captions
from experiments.reporting.page.content import Block, Passage, ReportSection
from experiments.tracking import PastRun
from experiments.tracking.tags import BEST_PARAMS, DATASET, MODEL, STUDY
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.data import ReportData
from experiments.workflows.report.tables import searches_table
from experiments.workflows.tune.record import value_text


def searches_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section on hyperparameter searches."""
    blocks = []
    for index in data.indices:
        table = searches_table(index, data.frame)
        blocks.append(Block(tables=(table,) if table.columns else ()))
        for run in index.searches:
            study = run.tags.get(STUDY, run.name)
            pictures = assets.pictures(run, f"search-{study}", captions.fill(captions.SEARCH, study), main=True)
            blocks.append(Block(study, pictures=pictures, passages=_best_trial(run)))
    lead = "Hyperparameter searches, scored on the validation digits."
    return ReportSection.of("searches", "Searches", lead, "digits tune mlp", blocks)


def _best_trial(run: PastRun) -> tuple[Passage, ...]:
    """Describe the best hyperparameters of a search."""
    best = json.loads(run.tags.get(BEST_PARAMS, "{}"))
    values = [f"`{name}` {value_text(value)}" for name, value in best.items()]
    model, dataset, study = (run.tags.get(tag, "") for tag in (MODEL, DATASET, STUDY))
    command = f"`digits train {model} --dataset {dataset} --from-study {study}`"
    text = f"The best trial has {', '.join(values)}. {command} trains a network with them."
    return (Passage("", text, run.id),) if best else ()
