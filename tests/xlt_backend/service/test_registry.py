"""Loaded models: once per version, swapped while the old one serves."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes import CONFIG, LABELS, scores_of
from xlt.errors import CorruptVersionError, EncoderError
from xlt.store.versions import Store, VersionMeta
from xlt.tasks.calibration import FILE, Calibration
from xlt.tasks.predictions import interpret
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.wire import PredictAnswer, WireTask
from xlt_backend.options import ProjectOptions
from xlt_backend.service.predict import Inference
from xlt_backend.service.registry import Registry
from xlt_backend.trainer import folder as files


class FakeModel:
    """Says the first word of each text; counts."""

    def __init__(self, folder: Path) -> None:
        self.task = SingleLabel(labels=LABELS)
        self.folder = folder
        self.batches: list[int] = []

    def predict(self, examples):
        """Right every time."""
        self.batches.append(len(examples))
        scores = scores_of([example.text for example in examples], LABELS, 1.0)
        langs = [example.lang for example in examples]
        return interpret(self.task, scores, langs, Calibration.load(self.folder))


class Loader:
    """Loads fake models and remembers which."""

    def __init__(self) -> None:
        self.loaded: list[FakeModel] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, folder: Path) -> FakeModel:
        """Waits at the gate."""
        assert self.gate.wait(10)
        if (folder / "broken").exists():
            raise EncoderError(f"{folder.name} holds no model")
        self.loaded.append(FakeModel(folder))
        return self.loaded[-1]


@pytest.fixture
def store(tmp_path) -> Store:
    """An empty store."""
    return Store(tmp_path / "models")


@pytest.fixture
def loader() -> Loader:
    """Counts what is loaded."""
    return Loader()


@pytest.fixture
def registry(store, loader) -> Registry:
    """Room for two, and no memory of what was current."""
    return Registry(store, loader, capacity=2, memo_s=0.0)


def promote(store: Store, key: str, *, broken: bool = False) -> str:
    """Makes a version and promotes it."""
    versions = store.project(key)
    with versions.stage() as stage:
        files.write_json(stage / FILE, Calibration().to_json())
        (stage / ("broken" if broken else "model")).write_text(key)
        version = versions.commit(stage, VersionMeta())
    versions.promote(version, "test")
    return version


def test_no_model_yet(registry):
    """A project without a promoted version has none to give."""
    assert registry.get("1") is None


def test_a_version_is_loaded_once(store, registry, loader):
    """However many requests come, and from however many threads."""
    promote(store, "1")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: registry.get("1"), range(50)))

    assert len(loader.loaded) == 1
    assert len({id(loaded) for loaded in found}) == 1


def test_new_version_is_swapped_in_by_refresh(store, registry, loader):
    """Requests get the old version until the new one is in memory; no request waits for it."""
    first = promote(store, "1")
    assert registry.get("1").version == first
    second = promote(store, "1")
    loader.gate.clear()
    thread = threading.Thread(target=registry.refresh)
    thread.start()
    assert registry.get("1").version == first
    loader.gate.set()
    thread.join()

    assert registry.get("1").version == second
    registry.refresh()
    assert len(loader.loaded) == 2


def test_version_that_cannot_be_loaded_leaves_the_old_one(store, registry):
    """What serves goes on serving."""
    first = promote(store, "1")
    registry.get("1")
    promote(store, "1", broken=True)
    registry.refresh()

    assert registry.get("1").version == first


def test_broken_only_version_is_an_error(store, registry):
    """With nothing in memory the reason is given."""
    promote(store, "1", broken=True)
    with pytest.raises(EncoderError):
        registry.get("1")


def test_corrupt_version_is_an_error(store, registry):
    """A file that is not what was written is not loaded."""
    version = promote(store, "1")
    (store.project("1").open(version) / "model").write_text("other")
    fresh = Registry(Store(store_url(store)), Loader(), capacity=1)
    with pytest.raises(CorruptVersionError):
        fresh.get("1")


def store_url(store: Store) -> str:
    """Where a store is."""
    return str(
        next(iter(store.project("1").open(v) for v in store.project("1").versions())).parents[1]
    )


def test_the_least_used_goes_first(store, registry, loader):
    """Memory is bounded by what was asked for last."""
    for key in ("1", "2", "3"):
        promote(store, key)
    registry.get("1")
    registry.get("2")
    registry.get("1")
    registry.get("3")

    assert set(registry.versions()) == {"1", "3"}


def test_refresh_loads_what_nobody_asked_for_yet(store, registry, loader):
    """The first request after a start, or after a first promotion, waits for nothing."""
    promote(store, "1")
    promote(store, "2", broken=True)
    registry.refresh()
    assert set(registry.versions()) == {"1"}

    promote(store, "3")
    registry.refresh()
    assert set(registry.versions()) == {"1", "3"}
    assert len(loader.loaded) == 2


def test_refresh_pushes_nothing_out(store, registry):
    """Projects that nobody asks for take free room only."""
    for key in ("1", "2", "3", "4"):
        promote(store, key)
    registry.get("3")
    registry.get("4")
    registry.refresh()

    assert set(registry.versions()) == {"3", "4"}


def test_refresh_tries_a_broken_version_once_a_minute(store):
    """Loading costs seconds of a core; a version that failed will not do at the next look."""
    now, tried = [0.0], []

    def load(folder: Path) -> FakeModel:
        tried.append(folder.name)
        raise EncoderError(f"{folder.name} holds no model")

    registry = Registry(store, load, capacity=2, memo_s=0.0, clock=lambda: now[0])
    first = promote(store, "1")
    for now[0] in (0.0, 2.0, 59.0, 61.0):
        registry.refresh()
    assert tried == [first, first]

    second = promote(store, "1")
    registry.refresh()
    assert tried == [first, first, second]


# Inference --------------------------------------------------------------------------------------


@pytest.fixture
def inference(registry) -> Inference:
    """A thread that answers."""
    return Inference(registry, deadline_s=5.0)


def tasks(*texts: str) -> list[WireTask]:
    """Tasks with these texts."""
    return [WireTask(id=n, data={"text": text}) for n, text in enumerate(texts)]


def ask(inference: Inference, *texts: str):
    """The answer for these texts."""
    interface = Interface.from_label_config(CONFIG)
    return inference.predict("1", tasks(*texts), interface, ProjectOptions())


def said(result) -> str | None:
    """The label of a result."""
    return result.result[0]["value"]["choices"][0] if result.result else None


def test_results_in_order(store, inference):
    """N in, n out, in order; what has no text has an empty result."""
    version = promote(store, "1")
    answer = ask(inference, "sport en 1", "", "food en 2", "https://a.b/c", "music en 3")

    assert [said(result) for result in answer.results] == ["sport", None, "food", None, "music"]
    assert answer.model_version == version
    assert all(0 <= result.score <= 1 for result in answer.results)


def test_less_sure_is_sooner(store, inference):
    """The score of a task that no order knows falls with certainty turned round."""
    promote(store, "1")
    answer = ask(inference, "sport en 3", "sport en 5")  # logits 1 and 3
    unsure, sure = answer.results

    assert unsure.score < sure.score


def test_many_tasks_are_chunked(store, inference, loader):
    """A whole project in one request does not become one batch."""
    promote(store, "1")
    answer = ask(inference, *(f"sport en {n}" for n in range(100)))

    assert len(answer.results) == 100
    assert max(loader.loaded[0].batches) <= 32


def test_repeated_texts_are_remembered(store, inference, loader):
    """The same text is scored once per version."""
    promote(store, "1")
    ask(inference, "sport en 1", "food en 2")
    ask(inference, "food en 2", "sport en 1", "music en 4")

    assert loader.loaded[0].batches == [2, 1]


def test_no_model_gives_empty_results(inference):
    """Label Studio gets as many results as it asked for."""
    assert [r.result for r in ask(inference, "sport en 1", "food en 2").results] == [[], []]


def test_out_of_time_gives_empty_results(store, registry, loader):
    """The answer comes before Label Studio gives up waiting."""
    promote(store, "1")
    loader.gate.clear()
    slow = Inference(registry, deadline_s=0.2)
    answer = ask(slow, "sport en 1")
    loader.gate.set()

    assert [r.result for r in answer.results] == [[]]


def test_errors_give_empty_results(store, registry):
    """A model that fails takes no request down with it."""
    promote(store, "1")
    registry.get("1").model.predict = lambda examples: 1 / 0
    inference = Inference(registry, deadline_s=5.0)

    assert [r.result for r in ask(inference, "sport en 1").results] == [[]]


def edited(*labels: str, **renames: str) -> Interface:
    """An interface with other labels, and what became of the first ones."""
    config = CONFIG
    for old, new in zip(LABELS, labels, strict=True):
        config = config.replace(f'value="{old}"', f'value="{new}"')
    return Interface.from_label_config(config, renames=renames)


def predicted(inference, interface: Interface) -> PredictAnswer:
    """Predictions of three texts, about sport, music and food."""
    return inference.predict(
        "1", tasks("sport en 1", "music en 4", "food en 2"), interface, ProjectOptions()
    )


def test_labels_that_the_interface_lost_are_not_suggested(store, inference):
    """After an edit the model goes on with its other labels; at least two must be left."""
    promote(store, "1")
    first, *others = map(said, predicted(inference, edited("chess", "music", "food")).results)

    assert first in ("music", "food")
    assert others == ["music", "food"]
    none = predicted(inference, edited("chess", "opera", "food"))
    assert [said(result) for result in none.results] == [None, None, None]


def test_renamed_labels_are_suggested_by_their_names_of_now(store, inference):
    """Each interface gets its own, with a version name of its own; remembered ones too."""
    version = promote(store, "1")
    before = predicted(inference, edited(*LABELS))
    renamed = edited("chess", "music", "food", sport="chess")
    after = [predicted(inference, renamed) for _ in range(2)]
    again = predicted(inference, edited(*LABELS))

    assert [said(result) for result in before.results] == ["sport", "music", "food"]
    assert (before.model_version, again) == (version, before)
    for answer in after:
        assert [said(result) for result in answer.results] == ["chess", "music", "food"]
        assert [r.score for r in answer.results] == pytest.approx([r.score for r in before.results])
        assert answer.model_version == after[0].model_version
        assert answer.model_version.startswith(f"{version}.")
