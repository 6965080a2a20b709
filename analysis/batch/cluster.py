"""Analyses the files of a run on a Dask cluster.

Why Dask: its scheduler gives the files of a worker that dies to another, it needs nothing but Python on the machines,
and dask-jobqueue starts it on the clusters that universities have (SLURM, PBS, LSF, SGE).
"""

import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from analysis.batch.execution import ATTEMPTS, Listener, Load, load_network
from analysis.batch.run import LOCK
from analysis.batch.task import Options, Outcome, Task, analyze_file, give_up, throttled
from config import VERSION
from entities import Classifier
from errors import AnalysisCancelledError, ClusterError, MissingLibraryError
from parts import require

_START: Final = "python -m dask worker {address} --nworkers auto --nthreads 1"
_CONNECT_SECONDS: Final = 10
_PLUGIN: Final = "facial-expressions"
_ATTRIBUTE: Final = "facial_expressions"
"""Where a worker keeps the network."""
_LOOK_SECONDS: Final = 1.0
_one_file: Final = threading.Lock()
"""A worker with several threads analyses one file at a time all the same: the processors are busy with that."""


def run_on_cluster(
    tasks: Sequence[Task], options: Options, address: str, listener: Listener, load: Load = load_network
) -> Iterator[Outcome]:
    """Analyse the files on the cluster of a scheduler; yield what became of each as it is done.

    Its workers have this project, and see the files and `options.out` under the same paths. The file of a worker that
    dies is begun again on another: the scheduler does so three times, unless its `allowed-failures` says otherwise.
    When this ends, however it does, what is still to be done there is cancelled.

    Args:
        tasks: The files.
        options: Of the run, which has its folder for itself (`run.only_run`).
        address: Of the scheduler, as tcp://host:8786.
        listener: Told of a file when it is done.
        load: Loads the network, once a worker.

    Raises:
        ClusterError: Dask is not installed, there is no scheduler, or it is lost; there is no worker, or one that is of
            another version or does not see the folder.
        ModelError: A worker cannot load the network.

    """
    distributed = _import_distributed()
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"There is no Dask scheduler at {address}. Start one: python -m dask scheduler") from error
    with client:
        _check_workers(client, address, options.out)
        client.register_plugin(_plugin(distributed, options, load), name=_PLUGIN)
        futures = {
            client.submit(_on_worker, task, options, key=f"{task.key}-{token_hex(4)}", pure=False): task
            for task in tasks
        }
        try:
            for future in distributed.as_completed(list(futures), loop=client.loop):
                outcome = _outcome(distributed, future, futures[future], options)
                listener(outcome.task, outcome.seconds, outcome.seconds)
                yield outcome
        except CancelledError:
            raise ClusterError(
                f"The scheduler at {address} is lost. What was done is in {options.out}; start the cluster again, and "
                "the same command goes on from there."
            ) from None
        finally:
            with suppress(CancelledError, OSError, TimeoutError):  # there may be no scheduler any more
                client.cancel(list(futures), force=True)


def _import_distributed() -> Any:
    try:
        with require():
            import distributed
    except MissingLibraryError as error:
        raise ClusterError(f"{error}\nThe cluster's workers need it, too.") from None
    return distributed


def _check_workers(client: Any, address: str, out: Path) -> None:
    """See that there are workers of this version, and that they see the folder of results.

    Raises:
        ClusterError: There is none, or one is or does not.

    """
    try:
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except TimeoutError:
        start = _START.format(address=address)
        raise ClusterError(f"The scheduler at {address} has no worker. Start some, in this folder: {start}") from None
    ours = _version()
    others = {worker: theirs for worker, theirs in client.run(_version).items() if theirs != ours}
    if others:
        raise ClusterError(
            f"{', '.join(others)}: {' and '.join(sorted(set(others.values())))}, and here it is {ours}. Install the "
            "same version on all machines."
        )
    blind = [worker for worker, sees in client.run(_sees, str(out)).items() if not sees]
    if blind:
        raise ClusterError(
            f"{out} is not there for {', '.join(blind)}. Choose a folder with --out that all machines share."
        )


def _version() -> str:
    """Return in words which version of this project runs here, and on what."""
    return f"facial-expressions {VERSION} on Python {sys.version_info.major}.{sys.version_info.minor}"


def _sees(out: str) -> bool:
    return (Path(out) / LOCK).exists()


def _plugin(distributed: Any, options: Options, load: Load) -> Any:
    """Return what loads the network when it comes to a worker, also to one that joins later."""

    class Network(distributed.WorkerPlugin):
        def setup(self, worker: Any) -> None:
            setattr(worker, _ATTRIBUTE, load(options.settings))

    return Network()


def _on_worker(task: Task, options: Options) -> Outcome:
    """Analyse a file in a worker, as long as the run goes on."""
    import distributed

    classifier: Classifier = getattr(distributed.get_worker(), _ATTRIBUTE)

    def stop_with_run(*_: float) -> None:
        if not _sees(str(options.out)):
            raise AnalysisCancelledError("The run was stopped.")

    with _one_file:
        return analyze_file(task, options, classifier, throttled(stop_with_run, _LOOK_SECONDS))


def _outcome(distributed: Any, future: Any, task: Task, options: Options) -> Outcome:
    """Return what became of a file.

    Raises:
        Exception: What the worker raised, other than that it died again and again.

    """
    try:
        return future.result()
    except distributed.KilledWorker:
        return give_up(task, options, ATTEMPTS)
