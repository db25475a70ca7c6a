"""The chapters of a report, each from what the tracking store knows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from experiments import reporting, tracking
from experiments.reporting.report_content import Block, Chapter, Curve, Number, Passage, Picture, Table
from experiments.tracking import PastRun, Store
from experiments.workflows.report_album import Album
from experiments.workflows.report_evidence import Evidence, Network
from experiments.workflows.report_tables import features_table, networks_table, searches_table, ways_table

MISSED = "misclassified_by_all"
SEARCH_PICTURES = {
    "history": "The trials one after the other, and the best so far",
    "importances": "What share of the spread each hyperparameter explains",
    "slice": "Each hyperparameter alone against the result",
    "parallel_coordinates": "All trials, a line each",
    "contour": "The two hyperparameters that matter most",
}


class Chapters:
    """Writes the chapters, and fills an album with their pictures."""

    def __init__(self, store: Store, evidence: Sequence[Evidence], album: Album) -> None:
        self._store, self._evidence, self._album = store, evidence, album
        self.summaries = {each.dataset: networks_table(store, each) for each in evidence if each.networks}
        self.curves = tuple(curve for each in evidence for curve in _curves(store, each))

    def all(self) -> tuple[Chapter, ...]:
        """Return all chapters in order."""
        return (
            self._networks(),
            self._costs(),
            self._training(),
            self._mistakes(),
            self._calibration(),
            self._features(),
            self._confusing(),
            self._transfer(),
            self._searches(),
        )

    def _networks(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            tables = tuple(table for name, table in self.summaries.items() if name == each.dataset)
            caption = f"Test accuracy on {each.dataset} with 95 % intervals"
            name = f"{each.dataset}-comparison"
            pictures = self._album.copied(each.comparison, "comparison", name, caption) if each.comparison else ()
            blocks.append(Block(tables=tables, pictures=pictures))
        return _chapter(
            "networks", "Networks", "What each network achieves on digits that it has never seen.", "digits train all",
            blocks,
        )  # fmt: skip

    def _costs(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            table = self.summaries.get(each.dataset)
            pictures = [*self._cost(each, table, "parameters", "parameters"),
                        *self._cost(each, table, "seconds", "training time in seconds")] if table else []  # fmt: skip
            blocks.append(Block(each.dataset, pictures=tuple(pictures)))
        lead = "Up and to the left is better: more digits right for fewer parameters, or less time."
        return _chapter("costs", "Accuracy, size, time", lead, "digits evaluate --model lenet --model cnn", blocks)

    def _cost(self, each: Evidence, table: Table, key: str, label: str) -> tuple[Picture, ...]:
        """Return the picture of accuracy against a cost, of the networks of which both are known."""
        rows = [row for row in table.rows if {key, "accuracy", "accuracy_low", "accuracy_high"} <= row.numbers.keys()]
        points = {
            row.name: reporting.Cost(
                *(row.numbers[name].value for name in (key, "accuracy", "accuracy_low", "accuracy_high"))
            )
            for row in rows
            if row.numbers[key].value > 0
        }
        if not points:
            return ()
        runs = tuple(dict.fromkeys(row.numbers[name].run_id for row in rows for name in (key, "accuracy")))
        figure = reporting.trade_off(points, label, f"{each.dataset}: accuracy against {label.partition(' in ')[0]}")
        caption = f"Test accuracy on {each.dataset} against {label}"
        return self._album.drawn(figure, f"{each.dataset}-accuracy-{key}", caption, runs, main=True)

    def _training(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            curves = [curve for curve in self.curves if curve.network.startswith(f"{each.dataset}-")]
            names = {network.training.id: network.name for network in each.networks}
            overlaid: tuple[Picture, ...] = ()
            if curves:
                figure = reporting.overlaid_curves(
                    {names[curve.run_id]: curve.values for curve in curves}, f"{each.dataset}: how the networks learn"
                )
                caption = f"Accuracy on the validation digits of {each.dataset} after each epoch"
                runs = tuple(curve.run_id for curve in curves)
                overlaid = self._album.drawn(figure, f"{each.dataset}-learning", caption, runs, main=True)
            own = self._of_each(each, "training", "training_curves", "{}: loss, accuracy and learning rate")
            blocks += [
                Block(each.dataset, pictures=overlaid),
                Block("Each network's own curves", pictures=own, folded=True),
            ]
        lead = "Validation digits are held out of the training digits; weights are those of the best epoch."
        return _chapter("training", "Training", lead, "digits train lenet", blocks)

    def _mistakes(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            caption = "{}: rows are true digits, columns what they are taken for, in per cent"
            confusions = self._of_each(each, "evaluation", "confusion_normalised", caption)
            galleries = self._of_each(each, "evaluation", "misclassified", "{}: its mistakes, most confident first")
            blocks += [
                Block(each.dataset, pictures=confusions),
                Block(f"{each.dataset}: digits that every network misses", pictures=self._missed(each)),
                Block("Each network's own mistakes", pictures=galleries, folded=True),
            ]
        lead = "Mistakes have the colour to themselves; the grey diagonal is what is right."
        return _chapter("mistakes", "Mistakes", lead, "digits evaluate --model lenet --model cnn", blocks)

    def _missed(self, each: Evidence) -> tuple[Picture, ...]:
        run = each.comparison
        if run is None or MISSED not in run.metrics:
            return ()
        missed = Number(run.metrics[MISSED], run.id, MISSED)
        caption = (
            f"Of the test digits of {each.dataset}, {missed.value:,.0f} are missed by all of {run.params['models']}"
        )
        pictures = self._album.copied(run, "missed_by_all", f"{each.dataset}-missed-by-all", caption, main=True)
        return tuple(replace(picture, numbers={"missed by all": missed}) for picture in pictures)

    def _calibration(self) -> Chapter:
        caption = "{}: how often it is right, by how sure it is"
        blocks = [
            Block(each.dataset, pictures=self._of_each(each, "evaluation", "reliability", caption))
            for each in self._evidence
        ]
        lead = "A network that says 90 % should be right nine times in ten: bars on the diagonal."
        return _chapter("calibration", "Calibration", lead, "digits evaluate --model lenet", blocks)

    def _features(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            table = features_table(each)
            if table.rows:
                blocks.append(Block(tables=(table,)))
            for network, run in _analyzed(each):
                blocks += self._feature_space(each, network, run)
            if each.contrast:
                words = self._album.words(each.contrast, f"Networks beside each other on {each.dataset}")
                blocks.append(Block(passages=words))
        lead = "What the layer before the classifier makes of the digits: a t-SNE map, clusters, and how they agree."
        return _chapter("features", "Feature space", lead, "digits analyze --model lenet", blocks)

    def _feature_space(self, each: Evidence, network: Network, run: PastRun) -> list[Block]:
        about = f"{network.name} on {each.dataset}"
        name = f"{each.dataset}-{network.name}"
        first = self._several(run, name, {
            "map": f"{about}: the map, digits by label",
            "map_kmeans": f"{about}: the map, digits by cluster of KMeans",
        }, main=True)  # fmt: skip
        others = self._several(run, name, {
            "map_ward": f"{about}: the map, digits by cluster of Ward's linkage",
            "map_predicted": f"{about}: the map, digits by prediction",
            "map_confusion": f"{about}: the map, digits by how confusing they are",
            "cluster_count": f"{about}: how many clusters there are",
            "contingency_kmeans_10_both": f"{about}: KMeans with 10 clusters against the classes",
            "contingency_ward_10_both": f"{about}: Ward with 10 clusters against the classes",
            "dendrogram": f"{about}: the top of Ward's hierarchy",
            "centroids": f"{about}: distances between the means of the classes",
        })  # fmt: skip
        page = self._album.page(run, "explorer.html", name, f"Turn the map of {about}")
        return [
            Block(about, links=page, pictures=first, passages=self._album.words(run, "")),
            Block(f"More views of {about}", pictures=others, folded=True),
        ]

    def _confusing(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            for network, run in _analyzed(each):
                about, name = f"{network.name} on {each.dataset}", f"{each.dataset}-{network.name}"
                first = self._several(run, name, {
                    "confusing_test": f"{about}: the test digits that confuse most, beside what they are near",
                })  # fmt: skip
                others = self._several(run, name, {
                    "confusing_train": f"{about}: the training digits that confuse most",
                    "measures_test": f"{about}: how the measures of confusion agree",
                    "duplicates": f"{about}: test digits that training nearly has too",
                    "outliers": f"{about}: digits far from all others",
                })  # fmt: skip
                more = Block(f"More of {about}", pictures=others, folded=True)
                blocks += [Block(about, pictures=first), more]
        lead = "Digits that lie nearer to another class than to their own, with their neighbours on both sides."
        return _chapter("confusing", "Confusing digits", lead, "digits analyze --model lenet", blocks)

    def _transfer(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            blocks += [Block(tables=(table,)) for target in each.targets if (table := ways_table(each, target)).rows]
            for targets, run in each.transfers.items():
                blocks += self._compared(each, targets.split(", "), run)
            own = [picture for network in each.networks for picture in self._abroad(each, network)]
            blocks.append(
                Block(f"{each.dataset}: each network elsewhere", pictures=tuple(own), folded=bool(each.transfers))
            )
            if not each.transfers:
                words = [words for network in each.networks for words in self._words_abroad(network)]
                blocks.append(Block(passages=tuple(words)))
        lead = "The networks on digits from elsewhere: what they lose, and what alignment and adaptation bring back."
        return _chapter(
            "transfer", "New domains", lead, "digits transfer --model cnn --target usps --adapt align", blocks
        )

    def _compared(self, each: Evidence, targets: Sequence[str], run: PastRun) -> list[Block]:
        where = ", ".join(targets)
        name = f"{each.dataset}-to-{'-'.join(targets)}"
        matrix = self._album.copied(run, "matrix", f"{name}-matrix", "Accuracy at home and elsewhere", main=True)
        pictures = [
            picture
            for target in targets
            for file, caption in _domain_pictures(each.dataset, target).items()
            for picture in self._album.copied(
                run, f"{target}/{file}", f"{each.dataset}-to-{target}-{file}", caption, main=file == "alignment"
            )
        ]
        words = self._album.words(run, "")
        return [Block(f"From {each.dataset} to {where}", pictures=(*matrix, *pictures), passages=words)]

    def _abroad(self, each: Evidence, network: Network) -> Iterable[Picture]:
        """Return the pictures of one network in its domains that a comparison does not have."""
        for target, runs in network.transfers.items():
            about, name = f"{network.name} on {target}", f"{each.dataset}-{network.name}-to-{target}"
            files = {
                "few_shot": f"{about}: learning from few labelled digits",
                "adaptation_curves": f"{about}: adaptation without labels, step by step",
                "map": f"Digits of {target} on the map of {network.name}",
                "confusion_normalised": f"{about}: what is taken for what, in per cent",
            }
            if not each.transfers:
                files = _domain_pictures(network.name, target) | files
            for file, caption in files.items():
                run = next((run for run in runs if self._album.keeps(run, f"figures/{file}.png")), None)
                if run:
                    yield from self._album.copied(run, file, f"{name}-{file}", caption, main=file == "few_shot")

    def _words_abroad(self, network: Network) -> Iterable[Passage]:
        for runs in network.transfers.values():
            yield from self._album.words(runs[0], "")

    def _searches(self) -> Chapter:
        blocks = []
        for each in self._evidence:
            if each.searches:
                blocks.append(Block(tables=(searches_table(each),)))
            for run in each.searches:
                study = run.tags.get("digits.study", run.name)
                files = {
                    file: f"{study}: {caption[0].lower()}{caption[1:]}" for file, caption in SEARCH_PICTURES.items()
                }
                pictures = self._several(run, f"search-{study}", files, main=True)
                blocks.append(Block(study, pictures=pictures, passages=_found(run)))
        lead = "Hyperparameters found by search, judged on the validation digits."
        return _chapter("searches", "Searches", lead, "digits tune mlp", blocks)

    def _of_each(self, each: Evidence, kind: str, file: str, caption: str) -> tuple[Picture, ...]:
        """Return the same picture of each network, the best network first as in the table."""
        order = [row.name for row in self.summaries[each.dataset].rows] if each.dataset in self.summaries else []
        found: list[Picture] = []
        for network in sorted(
            each.networks, key=lambda one: order.index(one.name) if one.name in order else len(order)
        ):
            run: PastRun | None = getattr(network, kind)
            if run:
                name = f"{each.dataset}-{network.name}-{file}"
                found += self._album.copied(run, file, name, caption.format(network.name))
        return tuple(found)

    def _several(self, run: PastRun, name: str, captions: dict[str, str], main: bool = False) -> tuple[Picture, ...]:
        """Return pictures of one run, of which the first may stand for all."""
        first = next(iter(captions))
        return tuple(
            picture
            for file, caption in captions.items()
            for picture in self._album.copied(run, file, f"{name}-{file}", caption, main=main and file == first)
        )


def _curves(store: Store, each: Evidence) -> Iterable[Curve]:
    for network in each.networks:
        values = tracking.metric_history(store, network.training.id, "val_accuracy")
        if values:
            yield Curve(network.version.registered_model, network.training.id, "val_accuracy", values)


def _analyzed(each: Evidence) -> list[tuple[Network, PastRun]]:
    return [(network, network.analysis) for network in each.networks if network.analysis]


def _domain_pictures(home: str, target: str) -> dict[str, str]:
    """Return the pictures of a domain, which runs of one network and of several have alike."""
    route = f"From {home} to {target}"
    return {
        "alignment": f"{route}: what aligning the pictures brings, rung by rung",
        "adaptation": f"{route}: what adaptation without labels brings",
        "corruptions": f"{route}: accuracy under each corruption",
        "class_changes": f"{route}: which digits lose",
        "shift": f"{route}: how far the domains lie apart in feature space",
    }


def _found(run: PastRun) -> tuple[Passage, ...]:
    """Return the best values of a search in words."""
    best = json.loads(run.tags.get("digits.best_params", "{}"))
    if not best:
        return ()
    values = ", ".join(f"`{name}` {value:.4g}" if isinstance(value, float) else f"`{name}` {value}"
                       for name, value in best.items())  # fmt: skip
    model, dataset, study = (run.tags.get(f"digits.{key}", "") for key in ("model", "dataset", "study"))
    command = f"`digits train {model} --dataset {dataset} --from-study {study}`"
    return (Passage("", f"The best trial has {values}. {command} trains with them.", run.id),)


def _chapter(name: str, title: str, lead: str, command: str, blocks: Iterable[Block]) -> Chapter:
    return Chapter(name, title, lead, command, tuple(block for block in blocks if not block.empty))
