"""`xlt simulate`: fair, resumable, and its numbers are what the curves say."""

from __future__ import annotations

import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.data.examples import Example
from xlt.errors import ConfigError, DataError, DivergedError
from xlt.simulate import journal
from xlt.simulate.choices import CHOICES
from xlt.simulate.curve import EVERYTHING, Settings, run_cell
from xlt.simulate.journal import Cell
from xlt.simulate.replay import cached_vectors, make_replay
from xlt.simulate.results import areas, curves, labels_saved, labels_to, paired, summary
from xlt.simulate.runner import run_all
from xlt.simulate.state import State
from xlt.simulate.strategies import PLACES, strategy
from xlt.tasks.logistic import fit_head, scaled
from xlt_backend.cli import main

LANGS = ("en", "ha", "yo")


def example(number: int, lang: str, label: int, side: str = "p") -> Example:
    """One of the translations of a sentence."""
    group = f"{side}{number}"
    return Example(
        id=f"{group}/{lang}", text=f"{group} {lang}", lang=lang, label=f"l{label}", group=group
    )


def replay(groups: int = 40, seed: int = 0, classes: int = 3):
    """Parallel texts in three languages whose classes are directions plus noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, size=2 * groups)
    pool = [example(i, lang, labels[i]) for i in range(groups) for lang in LANGS]
    test = [example(i, lang, labels[groups + i], "t") for i in range(groups) for lang in LANGS]
    centre = 0.6 * rng.standard_normal((classes, 8))
    of = np.array([int(str(e.label)[1:]) for e in (*pool, *test)])
    vectors = (centre[of] + rng.standard_normal((len(of), 8))).astype(np.float32)
    return make_replay(pool, test, vectors, source=["eng"])


SMALL = Settings(budgets=(6, 20), batch=10)
NAMES = sorted(CHOICES) + [f"{name}@{place}" for name in ("margin", "badge") for place in PLACES]


@pytest.mark.parametrize("name", ["default", "stratified", "in-target", "zero-shot", *NAMES])
def test_every_strategy_spends_the_budget_on_distinct_rows(name):
    """At each round exactly so many labels, each text once, in the places that it may use."""
    points = run_cell(replay(), name, 3, SMALL)
    assert [point["labels"] for point in points] == [6, 16, 20]
    for point in points:
        assert sum(point["spent"].values()) == point["labels"]
        assert set(point["accuracy"]) == set(LANGS)
    if name in ("stratified", "random@equal"):
        assert max(points[-1]["spent"].values()) - min(points[-1]["spent"].values()) <= 1
    if "target" in name:
        assert "en" not in points[-1]["spent"]
    if name == "zero-shot" or name.endswith("@source"):
        assert set(points[-1]["spent"]) == {"en"}


@pytest.mark.parametrize("name", ["default", "random", "margin"])
def test_a_seed_gives_one_curve(name):
    """The same seed, the same curve; another seed another one."""
    one, again, other = (run_cell(replay(), name, seed, SMALL) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_audit_labels_cost_and_do_not_train():
    """Labels asked for are more than labels trained on, by about the audit share."""
    share = Settings(budgets=(60,), batch=60, audit_share=0.5, pool_share=1.0)
    [point] = run_cell(replay(), "random", 0, share)[-1:]
    assert point["labels"] == 60
    assert 15 < point["trained"] < 45


def test_a_pool_that_ends_ends_the_curve():
    """A budget above the pool is not spent twice."""
    big = Settings(budgets=(50, 5000), batch=200, pool_share=1.0)
    assert [point["labels"] for point in run_cell(replay(), "random", 0, big)] == [50, 120]


def test_all_labels_are_one_point():
    """What the others are on their way to: the drawn pool, audit tasks aside."""
    [point] = run_cell(replay(), EVERYTHING, 0, Settings(budgets=(10,), pool_share=1.0))
    assert point["labels"] == 120
    assert point["trained"] < 120


def test_strategies_see_the_same_texts():
    """A seed draws one pool for all: labelling it all gives one model."""
    whole = Settings(budgets=(96,), batch=96)
    ends = [run_cell(replay(), name, 5, whole)[-1]["trained"] for name in ("random", "stratified")]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("name", ["nonsense", "margin@nowhere", "default:batchsize=3", "@equal"])
def test_unknown_strategies_are_refused(name):
    """A misspelt name does not fall back to something else."""
    with pytest.raises(ConfigError, match="unknown"):
        strategy(name)


def test_options_of_the_default_can_be_changed_by_name():
    """A share of 1 for the source leaves nothing for the targets."""
    points = run_cell(replay(), "default:source_share=1.0+quota=equal", 0, SMALL)
    assert set(points[-1]["spent"]) == {"en"}
    with pytest.raises(ConfigError, match="floor must be a int"):
        strategy("default:floor=many")


def test_a_sentence_cannot_be_in_pool_and_test():
    """A labelled sentence gives its translations away."""
    pool = [example(0, "en", 0), example(1, "ha", 1)]
    test = [example(0, "ha", 0)]
    with pytest.raises(DataError, match="give its translations away"):
        make_replay(pool, test, np.zeros((3, 2), np.float32), source=["en"])


def test_a_simulation_needs_targets():
    """A source alone has nothing to help."""
    with pytest.raises(DataError, match="expected target languages"):
        make_replay([example(0, "en", 0)], [], np.zeros((1, 2), np.float32), source=["eng"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"budgets": ()}, "ascending"),
        ({"budgets": (20, 10)}, "ascending"),
        ({"batch": 0}, "batch"),
        ({"audit_share": 0.7}, "audit_share"),
        ({"pool_share": 0.0}, "pool_share"),
        ({"l2": 0.0}, "l2"),
    ],
)
def test_settings_out_of_range_are_refused(changed, message):
    """One line that names the value."""
    with pytest.raises(ConfigError, match=message):
        Settings(**changed)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=6, unique=True), st.integers(1, 200))
def test_rounds_are_steps_of_at_most_a_batch_and_hit_every_budget(budgets, batch):
    """No round is larger than a batch, every budget is the end of one."""
    found = Settings(budgets=tuple(sorted(budgets)), batch=batch).rounds()
    assert set(budgets) <= set(found)
    assert all(0 < step <= batch for step in np.diff([0, *found]))


# The head ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.integers(3, 40))
def test_the_head_is_the_optimum_of_logistic_regression(seed, n):
    """Against scikit-learn, classes that are not seen included."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 5)), rng.integers(0, 3, n)
    y[:3] = 0, 1, 2
    head = fit_head(x, y, 3, l2=0.5)
    oracle = LogisticRegression(C=2.0, tol=1e-8, max_iter=5000).fit(x, y)
    assert np.allclose(head.weights, oracle.coef_, atol=2e-2)
    again = fit_head(x, y, 3, l2=0.5, start=head)
    assert np.allclose(head.weights, again.weights, atol=2e-2)


def test_a_head_without_labels_finds_all_classes_equally_likely():
    """Nothing is learnt from nothing."""
    head = fit_head(np.zeros((0, 4)), np.zeros(0, np.intp), 3, l2=1.0)
    assert not head.logits(np.ones((2, 4))).any()


def test_scaling_gives_mean_zero_and_mean_length_one(rng):
    """One penalty suits encoders of any scale."""
    rows = (7 + 30 * rng.standard_normal((50, 6))).astype(np.float32)
    found = scaled(rows, rows)
    assert np.allclose(found.mean(axis=0), 0, atol=1e-5)
    assert np.linalg.norm(found, axis=1).mean() == pytest.approx(1, abs=1e-4)


# Results ----------------------------------------------------------------------------------------


def points(*accuracies: float, step: int = 10):
    """A curve whose languages are equally good."""
    return [
        {"labels": step * (i + 1), "trained": 1, "spent": {"ha": 1}, "accuracy": {"ha": a, "yo": a}}
        for i, a in enumerate(accuracies)
    ]


def cell(name: str, seed: int, *accuracies: float) -> Cell:
    """A finished cell."""
    return Cell(setup="s", strategy=name, seed=seed, seconds=0.0, points=points(*accuracies))


def test_area_by_hand():
    """Trapezoids, per label; unequal steps weigh by their width."""
    assert areas(np.array([10, 20, 40]), np.array([0.2, 0.4, 0.6])) == pytest.approx(
        (0.3 * 10 + 0.5 * 20) / 30
    )
    assert areas(np.array([10]), np.array([0.2])) == 0.2


def test_labels_to_a_level_by_hand():
    """On a line between the points; the first point counts as it is; None where never."""
    x, y = np.array([10, 20, 40]), np.array([0.2, 0.4, 0.6])
    assert labels_to(x, y, 0.5) == pytest.approx(30)
    assert labels_to(x, y, 0.1) == 10
    assert labels_to(x, y, 0.7) is None


def test_the_interval_is_students():
    """Against scipy's own interval; none for one seed."""
    from scipy import stats

    x = np.array([0.1, 0.3, 0.2, 0.5])
    low, high = stats.t.interval(0.95, 3, loc=x.mean(), scale=stats.sem(x))
    found = paired(x)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert paired(x[:1]).low is None


def test_differences_are_paired_by_seed():
    """Two strategies that differ by the same amount in every seed: an interval of width 0."""
    cells = [cell("default", s, 0.4 + s / 10, 0.6 + s / 10) for s in range(3)]
    cells += [cell("stratified", s, 0.3 + s / 10, 0.5 + s / 10) for s in (2, 0, 1)]
    found = summary(cells, ["ha", "yo"])["strategies"]["default"]["against"]["stratified"]
    assert found["area"]["mean"] == pytest.approx(0.1)
    assert found["area"]["high"] - found["area"]["low"] == pytest.approx(0, abs=1e-9)
    assert found["languages"]["ha"]["seeds"] == 3


def test_labels_to_a_share_of_the_full_data():
    """0.9 of what all labels give, where the mean curve reaches it."""
    cells = [cell("random", 0, 0.2, 0.6), cell(EVERYTHING, 0, 0.5)]
    found = summary(cells, ["ha"])
    assert found["full_data"] == 0.5
    reached = found["strategies"]["random"]["labels_to"]["0.90"]
    assert reached == {"labels": pytest.approx(10 + 10 * 0.25 / 0.4), "seeds": 1, "of": 1}
    assert EVERYTHING not in found["strategies"]


def test_seeds_may_have_pools_of_different_sizes():
    """All labels are more for one seed than for another: one number all the same."""
    cells = [cell("random", seed, 0.2, 0.6) for seed in (0, 1)]
    for seed, labels in enumerate((57, 64)):
        everything = cell(EVERYTHING, seed, 0.4 + seed / 5)
        everything.points[0]["labels"] = labels
        cells.append(everything)
    assert summary(cells, ["ha"])["full_data"] == pytest.approx(0.5)


def test_curves_of_different_length_are_compared_where_both_are():
    """A language that ran out early shortens the comparison, not the other curve."""
    cells = [cell("default", 0, 0.1, 0.2, 0.3), cell("zero-shot", 0, 0.1, 0.2)]
    found = summary(cells, ["ha"])["strategies"]["default"]
    assert len(found["accuracy"]) == 3
    assert found["against"]["zero-shot"]["area"]["mean"] == pytest.approx(0)
    assert list(curves(cells)["zero-shot"].labels) == [10, 20]


def test_labels_saved_by_hand():
    """Both reach 0.4: one with 10 labels and half of the next 10, the other with all 30."""
    x = np.array([10, 20, 30])
    fast, slow = np.array([[0.3, 0.5, 0.6]]), np.array([[0.2, 0.3, 0.4]])
    found = labels_saved(x, fast, slow)
    assert found["chosen"] == pytest.approx(15)
    assert (found["random"], found["saved"]) == pytest.approx((30, 15))
    assert found["low"] is None
    assert labels_saved(x, slow, fast)["saved"] == pytest.approx(-15)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**31))
@settings(deadline=None, max_examples=25)
def test_a_way_saves_nothing_against_itself(seeds, n, seed):
    """And what one saves against another, the other loses."""
    rng = np.random.default_rng(seed)
    x, one, two = 10 * np.arange(1, n + 1), rng.random((seeds, n)), rng.random((seeds, n))
    assert labels_saved(x, one, one)["saved"] == 0
    there, back = labels_saved(x, one, two), labels_saved(x, two, one)
    assert there["saved"] == pytest.approx(-back["saved"])
    if seeds > 1:
        assert there["low"] <= there["high"]


def test_labels_saved_are_in_the_summary():
    """Overall for every baseline, language by language against stratified."""
    cells = [cell("default", s, 0.3, 0.5) for s in (0, 1)]
    cells += [cell(name, s, 0.2, 0.3) for s in (0, 1) for name in ("stratified", "random")]
    against = summary(cells, ["ha"])["strategies"]["default"]["against"]
    assert against["stratified"]["labels_saved"]["saved"] == pytest.approx(10)
    assert set(against["stratified"]["labels_saved"]["languages"]) == {"ha", "yo"}
    assert against["random"]["labels_saved"]["languages"] == {}


def test_what_the_last_labels_bought_is_the_difference_that_they_make():
    """Against heads fitted here, with and without a language's later half."""
    all_of_it = Settings(budgets=(80,), batch=80, pool_share=1.0, audit_share=0.0)
    data = replay()
    [point] = run_cell(data, "random", 0, all_of_it)
    rows = np.random.default_rng([0, 1]).permutation(np.arange(120))[:80]
    x, test = scaled(data.pool.vectors, data.pool.vectors), data.test
    seen = scaled(test.vectors, data.pool.vectors)
    assert set(point["bought"]) == set(LANGS)
    for lang, bought in point["bought"].items():
        own = np.flatnonzero(data.pool.langs[rows] == lang)
        assert bought["labels"] == len(own) // 2
        kept = np.delete(rows, own[-bought["labels"] :])
        right = [
            float((head.logits(seen).argmax(axis=1) == test.labels)[test.langs == lang].mean())
            for head in (fit_head(x[k], data.pool.labels[k], 3, l2=0.4) for k in (rows, kept))
        ]
        assert bought["gain"] == pytest.approx(right[0] - right[1], abs=0.026)
    assert run_cell(data, "random", 0, SMALL)[-1]["bought"] == {}


def test_the_last_labels_are_in_the_summary():
    """The mean over seeds; a language that has few labels is not in it."""
    cells = [cell("default", s, 0.3) for s in (0, 1)]
    for one, gain in zip(cells, (0.1, 0.2), strict=True):
        one.points[-1]["bought"] = {"ha": {"labels": 40, "gain": gain}}
    found = summary(cells, ["ha"])["strategies"]["default"]["bought"]
    assert set(found) == {"ha"}
    assert (found["ha"]["labels"], found["ha"]["mean"]) == pytest.approx((40, 0.15))


# The journal ------------------------------------------------------------------------------------


def test_a_torn_line_is_taken_off_and_the_rest_is_kept(tmp_path):
    """A machine that stopped while a line was written loses that cell only."""
    file = tmp_path / "cells.jsonl"
    journal.append(file, cell("random", 0, 0.1))
    with open(file, "ab") as stream:
        stream.write(b'{"setup": "s", "strategy": "ra')
    assert [c.seed for c in journal.finished(file, "s")] == [0]
    journal.append(file, cell("random", 1, 0.1))
    assert [c.seed for c in journal.finished(file, "s")] == [0, 1]
    assert journal.finished(file, "another") == []


def test_a_line_that_is_no_cell_is_named(tmp_path):
    """Somebody edited the file."""
    file = tmp_path / "cells.jsonl"
    file.write_text('{"seed": 1}\n')
    with pytest.raises(DataError, match="line 1"):
        journal.finished(file, "s")


def test_finished_cells_are_not_run_again(tmp_path):
    """A second run gives the first one's cells, and adds the new ones."""
    told = []
    given = {"setup": "s", "file": tmp_path / "cells.jsonl", "show": lambda *a: told.append(a)}
    one = run_all(replay(), [("random", 0)], SMALL, processes=1, **given)
    two = run_all(replay(), [("random", 0), ("margin", 0)], SMALL, processes=1, **given)
    assert [c.strategy for c in two] == ["random", "margin"]
    assert two[0].points == one[0].points
    assert len((tmp_path / "cells.jsonl").read_text().splitlines()) == 2
    assert told[-1] == ("simulated margin, seed 0", 2, 2)


def test_several_processes_find_the_same(tmp_path):
    """Cells do not depend on who runs them."""
    jobs = [("random", 0), ("random", 1)]
    found = [
        run_all(replay(), jobs, SMALL, setup="s", file=tmp_path / f"{n}", processes=n, show=print)
        for n in (1, 2)
    ]
    by_seed = [{c.seed: c.points for c in cells} for cells in found]
    assert by_seed[0] == by_seed[1]


# The command ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> str:
    """A parallel data set as a file."""
    words = ("good game", "bad law", "the team won")
    rows = [
        {"id": str(i), "lang": lang, "text": f"{words[i % 3]} {'abcdefgh'[i % 8]}", "label": i % 3}
        for i in range(40)
        for lang in LANGS
    ]
    file = tmp_path_factory.mktemp("data") / "rows.jsonl"
    file.write_text("".join(json.dumps(row | {"label": f"l{row['label']}"}) + "\n" for row in rows))
    return str(file)


def test_the_command_writes_tables_and_plots_and_goes_on(table, tiny_encoder, tmp_path, capsys):
    """One line per cell, a summary, two SVG files; a second call only reads."""
    argv = ["simulate", table, "--source", "en", "--out", str(tmp_path / "out"), "--json"]
    argv += ["--encoder", str(tiny_encoder), "--budgets", "6,12", "--seeds", "2"]
    assert main(argv) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert set(found["strategies"]) == {"default", "random", "stratified", "in-target", "zero-shot"}
    assert found["targets"] == ["ha", "yo"]
    assert "against stratified" in shown.err
    lines = (tmp_path / "out/cells.jsonl").read_text().splitlines()
    assert len(lines) == 2 * 6
    for name in ("curves", "shares"):
        root = ElementTree.fromstring((tmp_path / f"out/{name}.svg").read_text())
        drawn = [element for element in root.iter() if element.tag.endswith("polyline")]
        assert len(drawn) >= 15
        assert not any("nan" in element.attrib["points"] for element in drawn)
    assert main(argv) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert (tmp_path / "out/cells.jsonl").read_text().splitlines() == lines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--strategies", "nonsense"], "unknown strategy 'nonsense'"),
        (["--budgets", "ten"], "--budgets must be numbers"),
        (["--seeds", "0"], "--seeds and --jobs must be at least 1"),
        (["--targets", "xx", "--source", "yy"], "no labelled row in xx, yy"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(change, message, table, tmp_path, capsys):
    """No traceback for a slip of the keyboard."""
    argv = ["simulate", table, "--source", "en", "--out", str(tmp_path / "out"), *change]
    assert main(argv) == 1
    assert message in capsys.readouterr().err


def test_vectors_are_computed_once_and_not_mixed_up(tiny_encoder, tmp_path):
    """Another text or another encoder is another file."""
    told = []
    given = {"encoder": str(tiny_encoder), "folder": tmp_path, "show": lambda *a: told.append(a)}
    one = cached_vectors(["good game", "bad law"], **given)
    assert np.array_equal(cached_vectors(["good game", "bad law"], **given), one)
    assert len(told) == 1
    cached_vectors(["good game", "bad game"], **given)
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_a_state_knows_what_is_open_and_what_trains():
    """Audit labels are answered but do not train."""
    audit = np.zeros(120, bool)
    audit[3] = True
    state = State(pool=replay().pool, answered=np.array([5, 3]), audit=audit)
    assert state.trained.tolist() == [5]
    assert state.judging.tolist() == [3]
    assert len(state.open_rows) == 118
    assert not math.isnan(state.pool.vectors.sum())


# Full trainings ---------------------------------------------------------------------------------


JOINT = ["--learner", "joint", "--max-steps", "1", "--budgets", "12,24", "--batch", "12"]


@pytest.fixture
def trainings(monkeypatch) -> list[tuple[int, int]]:
    """Labelled and unlabelled texts of every training that begins."""
    import xlt.training.loop

    seen = []
    real = xlt.training.loop.train

    def train(labelled, unlabelled, *args, **kwargs):
        seen.append((len(labelled), len(unlabelled)))
        assert all(example.label is None for example in unlabelled)
        return real(labelled, unlabelled, *args, **kwargs)

    monkeypatch.setattr(xlt.training.loop, "train", train)
    return seen


def joint_simulation(table, tiny_encoder, out, *more):
    """The command's words."""
    argv = ["simulate", table, "--source", "en", "--out", str(out), "--encoder", str(tiny_encoder)]
    return [*argv, *JOINT, "--seeds", "1", "--json", *more]


def test_full_trainings_learn_in_every_round(table, tiny_encoder, tmp_path, capsys, trainings):
    """The real trainer, from all labels and with the texts that wait, in each round and at the end.

    Audit labels do not train; nothing but results is left.
    """
    argv = joint_simulation(table, tiny_encoder, tmp_path / "o", "--strategies", "default,margin")
    assert main(argv) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["strategies"]) == {"default", "margin"}
    assert found["settings"]["training"]["max_steps"] == 1
    cells = [json.loads(line) for line in (tmp_path / "o/cells.jsonl").read_text().splitlines()]
    for cell in cells:
        assert all(0 <= share <= 1 for p in cell["points"] for share in p["accuracy"].values())
    asked = [(p["trained"], p["labels"]) for cell in cells for p in cell["points"]]
    whole = max(labels for _, labels in asked)
    assert sorted(trainings) == sorted((n, whole - labels) for n, labels in asked)
    assert not (tmp_path / "o/rounds").exists()


def test_a_stopped_simulation_trains_only_what_it_had_not(
    table, tiny_encoder, tmp_path, capsys, trainings, monkeypatch
):
    """Stopped in the second round of a curve: the first one's training is not repeated."""
    import xlt.models.predictor

    argv = joint_simulation(table, tiny_encoder, tmp_path / "stopped", "--strategies", "margin")
    real = xlt.models.predictor.Predictor.score
    calls = []

    def score(self, texts, **kwargs):
        calls.append(len(texts))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, texts, **kwargs)

    monkeypatch.setattr(xlt.models.predictor.Predictor, "score", score)
    assert main(argv) == 130
    monkeypatch.setattr(xlt.models.predictor.Predictor, "score", real)
    assert len(trainings) == 2
    assert main(argv) == 0
    assert len(trainings) == 4  # the second round again, and the one with all labels
    going_on = json.loads(capsys.readouterr().out)
    whole = joint_simulation(table, tiny_encoder, tmp_path / "whole", "--strategies", "margin")
    assert main(whole) == 0
    assert json.loads(capsys.readouterr().out)["strategies"] == going_on["strategies"]


def test_a_training_that_diverges_leaves_the_model_before(tiny_encoder, tmp_path, monkeypatch):
    """As in the service; before the first model all classes are as likely as any other."""
    import xlt.training.loop

    def train(*args, **kwargs):
        raise DivergedError("not finite")

    monkeypatch.setattr(xlt.training.loop, "train", train)
    options = Settings(budgets=(6, 12), batch=6, training={"encoder": str(tiny_encoder)})
    points = run_cell(replay(), "margin", 0, options, folder=tmp_path / "f")
    assert [point["labels"] for point in points] == [6, 12]
    assert points[0]["accuracy"] == points[1]["accuracy"]


def test_trainings_run_in_several_processes(table, tiny_encoder, tmp_path, capsys):
    """The same curves, cell by cell."""
    found = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        names = ["--strategies", "random", "--jobs", jobs]
        assert main(joint_simulation(table, tiny_encoder, out, *names)) == 0
        found.append(json.loads(capsys.readouterr().out)["strategies"])
    assert found[0] == found[1]


def test_hyper_parameters_are_for_full_trainings_only(table, tmp_path, capsys):
    """They would change nothing."""
    argv = ["simulate", table, "--source", "en", "--out", str(tmp_path / "o"), "--max-steps", "3"]
    assert main(argv) == 1
    assert "for --learner joint" in capsys.readouterr().err
