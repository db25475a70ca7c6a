"""Networks logged a second time, as models that take encoded pictures and need ONNX Runtime alone."""

import shutil
import warnings
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import experiments
from experiments.inference import served_model
from experiments.tracking.runs import Run

NAME = "pictures"  # of the model: its address is runs:/RUN/pictures
CODE = "code"  # MLflow's name for the folder of a model's code
NEEDED = ("__init__.py", "errors.py", "inference", "pictures")  # of this package
PACKAGES = ("numpy", "onnxruntime", "pandas", "pillow", "scipy")


def log_picture_model(run: Run, network: bytes) -> str:
    """Log a network in ONNX as a model of pictures, unless the run has one, and return the model's id.

    It is none of the run's outputs: these are the networks that other commands use.
    """
    client = run.store.client
    for model in client.search_logged_models([run.store.experiment_id], f"source_run_id = '{run.id}'"):
        if model.name == NAME and model.status == "READY":
            return str(model.model_id)
    logged = client.create_logged_model(run.store.experiment_id, NAME, source_run_id=run.id, model_type=NAME)
    try:
        with TemporaryDirectory() as folder:
            _save(network, Path(folder, "model"), run.id, logged.model_id)
            client.log_model_artifacts(logged.model_id, str(Path(folder, "model")))
    except BaseException:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def _save(network: bytes, folder: Path, run_id: str, model_id: str) -> None:
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    file, code = folder.with_name("network.onnx"), folder.with_name("code")
    file.write_bytes(network)
    package = Path(experiments.__file__).parent
    for name in NEEDED:
        source, target = package / name, code / package.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.onnx"))
        else:
            shutil.copy(source, target)
    record = Model(run_id=run_id, model_id=model_id)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*input example was not provided")  # the signature says it all
        mlflow.pyfunc.save_model(
            folder,
            loader_module=served_model.__name__,
            data_path=str(file),
            mlflow_model=record,
            signature=ModelSignature(inputs=Schema([ColSpec("binary", served_model.PICTURE)])),
            pip_requirements=[f"{package}=={version(package)}" for package in PACKAGES],
        )
    shutil.copytree(code, folder / CODE)
    record.flavors["python_function"].update(code=CODE)
    record.save(str(folder / "MLmodel"))
