"""Exports of labelling tools become examples with the answers that annotators agree on."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.xlt.tasks.exported import (
    annotation,
    csv_file,
    json_file,
    lines_file,
    min_rows,
    result,
    task,
)
from xlt.errors import DataError
from xlt.tasks.exports import read_file


def answers_of(path, *, label=None, **options):
    """The answers by id, and the summary."""
    corpus = read_file(path, {"label": label}, **options)
    return {example.id: example.answer for example in corpus.examples}, corpus.summary


def written(folder, form, tasks):
    """The tasks in a format of Label Studio."""
    if form == "JSON":
        return json_file(folder, tasks)
    if form == "JSON lines":
        return lines_file(folder, tasks)
    if form == "list in .jsonl":
        return json_file(folder, tasks, "export.jsonl")
    if form == "JSON_MIN":
        return json_file(folder, min_rows(tasks))
    return csv_file(folder, tasks, form)


FORMS = ["JSON", "JSON lines", "list in .jsonl", "JSON_MIN", ".csv", ".tsv"]


# Label Studio -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("label", [None, "topic"])
def test_votes_agree_by_majority_in_every_format(tmp_path, form, label):
    """Each annotator has one vote, the latest; a tie is no answer and is counted."""
    tasks = [
        task(1, annotation(1, ["sport"], 1), annotation(2, ["sport"], 2)),
        task(
            2,
            annotation(3, ["sport"], 1),
            annotation(4, ["health"], 2),
            annotation(5, ["health"], 3),
        ),
        task(3, annotation(6, ["sport"], 1), annotation(7, ["health"], 2)),
        task(4, annotation(8, ["sport"], 1), annotation(9, ["health"], 1)),
    ]
    path = written(tmp_path, form, tasks)
    answers, summary = answers_of(path, label=label)
    assert answers == {"1": "sport", "2": "health", "3": None, "4": "health"}
    assert summary == (
        "read 4 tasks of a Label Studio export: 3 labelled, 1 on which annotators disagree "
        "(labels from 'topic')"
    )
    weights = [example.weight for example in read_file(path, {}).examples]
    assert weights == pytest.approx([1.0, 2 / 3, 1.0, 1.0])


@pytest.mark.parametrize("form", FORMS)
def test_several_choices_of_one_annotation_make_several_labels(tmp_path, form):
    """Then every answer is a list; an annotation without a choice says that no label fits."""
    tasks = [
        task(1, annotation(1, ["sport", "travel"])),
        task(2, annotation(2, ["health"])),
        task(3, annotation(3, [])),
    ]
    answers, _ = answers_of(written(tmp_path, form, tasks))
    assert answers == {"1": ("sport", "travel"), "2": ("health",), "3": ()}


@pytest.mark.parametrize("form", FORMS)
def test_a_kind_that_is_known_reads_every_answer_so(tmp_path, form):
    """A model of several labels is judged by a file in which nobody chose several."""
    path = written(tmp_path, form, [task(1, annotation(1, ["a"])), task(2, annotation(2, ["b"]))])
    assert answers_of(path)[0] == {"1": "a", "2": "b"}
    assert answers_of(path, kind="multi_label")[0] == {"1": ("a",), "2": ("b",)}


def test_what_is_no_answer_is_counted(tmp_path):
    """Skips, empty annotations, tasks without one, suggestions that nobody looked at."""
    tasks = [
        task(1, annotation(1, ["a"])),
        task(2, annotation(2, ["a"], was_cancelled=True)),
        task(3, annotation(3, [], was_cancelled=True)),
        task(4),
        task(5, annotation(5, [])),
        task(6, annotation(6, ["b"], parent_prediction=9, lead_time=None)),
        task(7, annotation(7, ["a"]), annotation(8, ["b"], 2, was_cancelled=True)),
        task(8, annotation(9, ["a"], 1), annotation(10, ["b"], 2, ground_truth=True)),
    ]
    answers, summary = answers_of(json_file(tmp_path, tasks))
    assert {id for id, answer in answers.items() if answer is None} == {"2", "3", "4", "5", "6"}
    assert (answers["7"], answers["8"]) == ("a", "b")
    assert "3 labelled, 2 skipped, 2 without an answer, 1 annotated by the machine only" in summary


def test_annotators_are_numbers_objects_or_unknown(tmp_path):
    """Two annotations by one person are one vote; those by unknown people are one each."""
    one = {"id": 4, "email": "a@example.org"}
    tasks = [
        task(1, annotation(1, ["a"], one), annotation(2, ["b"], one), annotation(3, ["b"], 5)),
        task(2, annotation(4, ["a"], None), annotation(5, ["b"], None)),
    ]
    assert answers_of(json_file(tmp_path, tasks))[0] == {"1": "b", "2": None}


def test_the_control_is_chosen_by_name(tmp_path):
    """Other controls do not disturb, whatever their type; the only one with choices is found."""
    spans = {"from_name": "who", "type": "labels", "value": {"start": 0, "labels": ["PER"]}}
    region = result(["rude"], "tone", start=0, end=3)
    tasks = []
    for number, labels in enumerate((["a"], ["b"]), start=1):
        both = [result(labels), spans, region]
        tasks.append(task(number, annotation(number, labels, result=both)))
    path = json_file(tmp_path, tasks)
    assert answers_of(path)[0] == {"1": "a", "2": "b"}
    tasks[0]["annotations"][0]["result"].append(result(["x", "y"], "mood"))
    path = json_file(tmp_path, tasks)
    assert answers_of(path, label="topic")[0] == {"1": "a", "2": "b"}
    with pytest.raises(DataError, match=r"several controls: 'topic', 'mood': choose .* --label"):
        read_file(path, {})
    with pytest.raises(DataError, match=r"control 'who' .*: 'topic', 'mood'; .*'who \(labels\)'"):
        read_file(path, {"label": "who"})
    assert len(read_file(path, {}, answers=False).examples) == 2


@pytest.mark.parametrize("options", [{}, {"label": "topic"}])
def test_an_export_of_another_kind_of_project_is_one_clear_line(tmp_path, options):
    """Its controls are named; its texts can be read all the same."""
    day = {"from_name": "day", "type": "datetime", "value": {"datetime": "2026-11-28"}}
    path = json_file(tmp_path, [task(1, annotation(1, [], result=[day]))])
    with pytest.raises(DataError, match=r"'day \(datetime\)'") as caught:
        read_file(path, options)
    assert "\n" not in str(caught.value)
    corpus = read_file(path, options, answers=False)
    assert corpus.summary == "read 1 task of a Label Studio export"


@pytest.mark.parametrize("form", ["JSON_MIN", ".csv"])
def test_columns_that_may_all_hold_answers_have_to_be_chosen_from(tmp_path, form):
    """A flat file does not tell data from controls, unless a usual name or a list does."""
    tasks = [task(n, annotation(n, [label]), origin="web") for n, label in enumerate("ab", 1)]
    rows = [dict(row) for row in min_rows(tasks)]
    renamed = [{"stance": row.pop("topic"), **row} for row in rows]
    path = json_file(tmp_path, renamed)
    with pytest.raises(DataError, match=r"several columns .*'stance', 'origin'.* --label"):
        read_file(path, {})
    assert answers_of(path, label="stance")[0] == {"1": "a", "2": "b"}
    with pytest.raises(DataError, match="no column 'tone'"):
        read_file(path, {"label": "tone"})


def test_choices_in_cells_are_read_in_a_trimmed_table_too(tmp_path):
    """Without Label Studio's own columns every row is a text of its own."""
    rows = [{"text": "a", "c": '{"choices": ["x", "y"]}'}, {"text": "a", "c": "x"}]
    answers, _ = answers_of(lines_file(tmp_path, rows))
    assert answers == {"1": ("x", "y"), "2": ("x",)}


@pytest.mark.parametrize("cell", [{}, {"annotation_id": ""}, {"annotation_id": None}])
def test_a_row_without_an_annotation_is_no_answer(tmp_path, cell):
    """JSON_MIN has one for a task without annotations; it does not say that no label fits."""
    rows = min_rows([task(1, annotation(1, ["a", "b"])), task(2, annotation(2, []))])
    rows.append({"id": 3, "text": "t3", **cell})
    answers, _ = answers_of(json_file(tmp_path, rows))
    assert answers == {"1": ("a", "b"), "2": (), "3": None}


@pytest.mark.parametrize("cell", [[{"rating": 4}], '[{"rating": 4}]', 7, '{"choices": ["a"'])
def test_a_cell_without_choices_is_named(tmp_path, cell):
    """Ratings, spans and broken lists are no labels."""
    tasks = [task(n, annotation(n, ["a"])) for n in (1, 2)]
    rows = min_rows(tasks)
    rows[1]["topic"] = cell
    with pytest.raises(DataError, match=r"row 2: expected a label or .* in 'topic', got"):
        read_file(json_file(tmp_path, rows), {})


@pytest.mark.parametrize("form", ["JSON", "JSON lines"])
def test_files_of_tasks_are_texts(tmp_path, form):
    """A label in their data is a field; one that is not there is no error for a pool."""
    tasks = [{"data": {"text": f"t{n}", "lang": "sw"}} for n in (1, 2)]
    answers, summary = answers_of(written(tmp_path, form, tasks), label="topic")
    assert list(answers.values()) == [None, None]
    assert summary == "read 2 tasks of a Label Studio task file: 0 labelled, 2 without an answer"
    tasks[0]["data"]["topic"] = "a"
    answers, _ = answers_of(written(tmp_path, form, tasks), label="topic")
    assert list(answers.values()) == ["a", None]


def test_fields_of_the_data_are_columns(tmp_path):
    """Nested ones by their dotted names; plain-text imports by Label Studio's own key."""
    given = annotation(1, ["a"])
    nested = task(7, given, doc={"body": "deep text"}, lang="yo", split="train")
    [example] = read_file(json_file(tmp_path, [nested]), {"text": "doc.body"}).examples
    assert (example.id, example.text, example.lang) == ("7", "deep text", "yo")
    assert read_file(json_file(tmp_path, [nested]), {}, split="train").examples[0].answer == "a"
    plain = {"id": 1, "data": {"$undefined$": "plain text"}, "annotations": [given]}
    assert read_file(json_file(tmp_path, [plain]), {}).examples[0].text == "plain text"


@pytest.mark.parametrize("form", ["JSON", "JSON_MIN"])
def test_nested_fields_are_named_by_dots_in_both_jsons(tmp_path, form):
    """In JSON_MIN the objects of the data stand beside the controls."""
    nested = task(7, annotation(1, ["a"]), doc={"body": "deep text", "meta": {"lang": "yo"}})
    columns = {"text": "doc.body", "lang": "doc.meta.lang", "label": "topic"}
    [example] = read_file(written(tmp_path, form, [nested]), columns).examples
    assert (example.text, example.lang, example.answer) == ("deep text", "yo", "a")


@pytest.mark.parametrize("form", FORMS)
def test_trees_of_choices_are_read_by_their_leaves(tmp_path, form):
    """Nodes on the way are no labels; two leaves of one annotation are two labels."""
    tasks = [
        task(1, annotation(1, [["Animal"], ["Animal", "Dog"]])),
        task(2, annotation(2, [["Plant", "Other"]])),
        task(3, annotation(3, [["Animal", "Other"]])),
    ]
    answers, _ = answers_of(written(tmp_path, form, tasks))
    assert answers == {"1": "Dog", "2": "Plant / Other", "3": "Animal / Other"}
    both = task(4, annotation(4, [["Animal", "Dog"], ["Animal", "Cat"]]))
    answers, _ = answers_of(written(tmp_path, form, [*tasks, both]))
    assert answers["4"] == ("Cat", "Dog")
    answers, _ = answers_of(json_file(tmp_path, [task(5, annotation(5, [["Animal"], []])), *tasks]))
    assert answers["5"] is None


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_name_for_the_label_reads_no_answers(tmp_path, form):
    """Of an export as of a table; for example to order all of its texts."""
    path = written(tmp_path, form, [task(1, annotation(1, ["a"])), task(2, annotation(2, ["b"]))])
    assert answers_of(path, label="") == (
        {"1": None, "2": None},
        "read 2 tasks of a Label Studio export",
    )


def test_a_label_in_the_data_of_an_export_is_no_answer(tmp_path):
    """A guess that was imported with the text does not become what annotators said."""
    path = json_file(tmp_path, [task(1, label="guess"), task(2, annotation(1, ["a"]), label="b")])
    assert answers_of(path)[0] == {"1": None, "2": "a"}


# doccano and Prodigy ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "more"),
    [("text", {"Comments": []}), ("data", {}), ("data", {"meta": {"a": 1}}), ("text", {})],
)
def test_doccano_is_read(tmp_path, first, more):
    """One label each is one label per text."""
    rows = [{"id": n, first: f"t{n}", "label": [label], **more} for n, label in enumerate("ab", 5)]
    answers, summary = answers_of(lines_file(tmp_path, rows))
    assert answers == {"5": "a", "6": "b"}
    assert summary.startswith("read 2 texts of a doccano export: 2 labelled")


def test_doccano_s_empty_list_is_no_answer(tmp_path):
    """It writes one for every text that was not labelled."""
    rows = [
        {"id": n, "text": f"t{n}", "label": labels, "Comments": []}
        for n, labels in enumerate((["a", "b"], ["a"], []))
    ]
    answers, summary = answers_of(lines_file(tmp_path, rows))
    assert answers == {"0": ("a", "b"), "1": ("a",), "2": None}
    assert "2 labelled, 1 without an answer" in summary


def test_prodigy_s_binary_answers_are_read(tmp_path):
    """Rejected and ignored ones are no labels and are counted; the last answer counts."""
    rows = [
        {"text": "t1", "label": "a", "answer": "accept"},
        {"text": "t2", "label": "b", "answer": "accept"},
        {"text": "t3", "label": "a", "answer": "reject"},
        {"text": "t4", "label": "a", "answer": "ignore"},
        {"text": "t5", "label": "a", "answer": "reject"},
        {"text": "t5", "label": "b", "answer": "accept"},
        {"text": "t1", "label": "b", "answer": "reject"},
    ]
    answers, summary = answers_of(lines_file(tmp_path, rows))
    assert list(answers.values()) == ["a", "b", None, None, "b"]
    assert "read 5 texts of a Prodigy export: 3 labelled, 1 rejected, 1 ignored" in summary


def test_prodigy_s_questions_without_an_answer_are_counted(tmp_path):
    """They are no reason to take the labels that were asked about for answers."""
    answers = ["accept", "reject", None, "accept"]
    rows = [
        {"text": f"t{n}", "_input_hash": n, "label": "ab"[n % 2]} | ({"answer": a} if a else {})
        for n, a in enumerate(answers)
    ]
    found, summary = answers_of(lines_file(tmp_path, rows))
    assert list(found.values()) == ["a", None, None, "b"]
    assert "Prodigy export: 2 labelled, 1 rejected, 1 without an answer" in summary
    del rows[2]["_input_hash"]
    assert answers_of(lines_file(tmp_path, rows))[1] == ""


@pytest.mark.parametrize("who", ["_annotator_id", "_session_id"])
def test_prodigy_s_choices_of_several_annotators_agree(tmp_path, who):
    """Texts are told apart by their hash, options with numbers by their text."""
    options = [{"id": 1, "text": "good"}, {"id": "bad", "text": "Bad!"}]

    def row(number, annotator, *accept, answer="accept"):
        given = {"accept": list(accept), "answer": answer, "options": options}
        return {"text": f"t{number}", "_input_hash": number, who: annotator, **given}

    rows = [row(1, "x", 1), row(1, "y", 1), row(1, "z", "bad"), row(2, "x", "bad"), row(3, "x", 1)]
    rows += [row(3, "y", "bad"), row(4, "x", 1, answer="ignore"), row(4, "y", "bad")]
    answers, summary = answers_of(lines_file(tmp_path, rows))
    assert list(answers.values()) == ["good", "bad", None, "bad"]
    assert "3 labelled, 1 on which annotators disagree" in summary


def test_prodigy_without_answers_is_one_clear_line(tmp_path):
    """Neither labels nor options nor spans; or others than asked for."""
    rows = [{"text": "Ama", "answer": "accept"}]
    with pytest.raises(
        DataError, match=r"Prodigy export without such answers: .*'label', .*, got 'text',"
    ):
        read_file(lines_file(tmp_path, rows), {})
    rows[0]["label"] = "a"
    with pytest.raises(DataError, match="labels are in 'label', got --label topic"):
        read_file(lines_file(tmp_path, rows), {"label": "topic"})


# All tools ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"id": 1, "data": {"text": "a"', "line 1 is not JSON"),
        ('["a", "b"]', "row 1: expected an object, got str"),
        ("[]", "no rows"),
        ("[" * 100_000, "is not JSON"),
        ('[{"title": "a"}]', "no column with text"),
        ('{"tasks": []}', "no column with text"),
        ('[{"data": {"text": "a"}}, {"text": "b"}]', "row 2: expected a task of Label Studio"),
        ('[{"data": {"t": "a"}, "annotations": [{"result": 7}, 8]}]', "no column with text"),
        ('[{"data": ' + '{"a":' * 300 + "1" + "}" * 300 + "}]", "no column with text"),
        ('[{"data": {"text": {"a": 1}}, "annotations": []}]', "no column with text"),
    ],
)  # fmt: skip
def test_files_that_are_nothing_known_get_one_clear_line(tmp_path, content, message):
    """Truncated, empty, of another form, or nested too deeply."""
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_file(path, {})
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "t", "data": {"source": "web"}, "label": "a"}],
        [{"text": "t", "answer": "yes", "label": "a"}],
        [{"text": "t", "label": ["a", "b"]}, {"text": "u", "label": []}],
        [{"text": "t", "label": "a", "lead_time": 3}],
    ],
)
def test_tables_stay_tables(tmp_path, rows):
    """A column with a name that a tool uses too makes no export."""
    corpus = read_file(lines_file(tmp_path, rows), {})
    assert corpus.summary == ""
    assert corpus.examples[0].answer == (
        tuple(rows[0]["label"]) if isinstance(rows[0]["label"], list) else "a"
    )


LABELS = st.sampled_from(["sport", "Ẹ̀kọ́", "صحة", "a, b", '"quoted"', "[x]", "7"])
CHOICES = st.lists(LABELS, min_size=1, max_size=3, unique=True)


@given(votes=st.lists(CHOICES, min_size=1, max_size=6), form=st.sampled_from(FORMS))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_export_of_any_answers_reads_back_as_these_answers(tmp_path, votes, form):
    """One annotator each: nothing is lost, added, split or joined."""
    tasks = [task(n, annotation(n, labels)) for n, labels in enumerate(votes, start=1)]
    answers, _ = answers_of(written(tmp_path, form, tasks))
    several = any(len(labels) > 1 for labels in votes)
    expected = [tuple(sorted(labels)) if several else labels[0] for labels in votes]
    assert list(answers.values()) == expected


@given(votes=st.lists(CHOICES, min_size=1, max_size=6), tool=st.sampled_from("dp"))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_other_tools_answers_read_back_too(tmp_path, votes, tool):
    """Lists of doccano and choices of Prodigy."""
    extra = [
        {"label": v, "Comments": []} if tool == "d" else {"accept": v, "answer": "accept"}
        for v in votes
    ]
    rows = [{"id": n, "text": f"t{n}", **more} for n, more in enumerate(extra)]
    answers, _ = answers_of(lines_file(tmp_path, json.loads(json.dumps(rows))))
    several = any(len(labels) > 1 for labels in votes)
    expected = [tuple(sorted(labels)) if several else labels[0] for labels in votes]
    assert list(answers.values()) == expected


@pytest.mark.parametrize("form", FORMS)
def test_votes_for_labels_that_look_the_same_agree(tmp_path, form):
    """Composed or decomposed, with a space at the end or not: one label, not three."""
    forms = ["Thể thao", unicodedata.normalize("NFD", "Thể thao"), "Thể\u00a0thao"]
    tasks = [task(1, *(annotation(n, [label], n) for n, label in enumerate(forms, start=1)))]
    tasks += [task(n, annotation(9 + n, [label], n)) for n, label in enumerate(forms, start=2)]
    corpus = read_file(written(tmp_path, form, tasks), {"label": "topic"})
    assert {example.answer for example in corpus.examples} == {"Thể thao"}
    assert {example.weight for example in corpus.examples} == {1.0}


@pytest.mark.parametrize("tool", ["doccano", "Prodigy"])
def test_other_tools_labels_that_look_the_same_are_one(tmp_path, tool):
    """A label typed on two systems is one label in their files too."""
    rows = []
    for n, form in enumerate(("NFC", "NFD")):
        label = unicodedata.normalize(form, "Sức khỏe")
        more = {"label": [label]} if tool == "doccano" else {"label": label, "answer": "accept"}
        rows.append({"id": n, "text": f"t{n}", **more})
    answers, _ = answers_of(lines_file(tmp_path, rows))
    assert answers == {"0": "Sức khỏe", "1": "Sức khỏe"}


@pytest.mark.parametrize("form", FORMS)
def test_only_what_is_read_of_a_split_is_counted(tmp_path, form):
    """The line is about the rows that the command uses."""
    tasks = [task(n, annotation(n, [label]), split="a") for n, label in enumerate("xyx", 1)]
    tasks.append(task(4, annotation(4, ["y"]), split="b"))
    tasks.append(task(5, annotation(5, []), split="b"))
    answers, summary = answers_of(written(tmp_path, form, tasks), label="topic", split="b")
    assert answers == {"4": "y", "5": None}
    assert summary == (
        "read 2 tasks of a Label Studio export: 1 labelled, 1 without an answer "
        "(labels from 'topic')"
    )


def test_items_without_text_are_left_out_and_counted(tmp_path):
    """Whatever was said of them."""
    tasks = [task(n, annotation(n, ["a"]), text=text) for n, text in enumerate(("t", "", "u"), 1)]
    corpus = read_file(json_file(tmp_path, tasks), {})
    assert [example.id for example in corpus.examples] == ["1", "3"]
    assert corpus.lines == [
        "read 3 tasks of a Label Studio export: 2 labelled, 1 without text (labels from 'topic')",
        "columns of export.json: text, lang, id",
        "left out 1 row of export.json without text: 2",
    ]


def test_weights_that_are_asked_for_count_beside_agreement(tmp_path):
    """In an export, a column of the task's data."""
    votes = [annotation(n, [label], n) for n, label in enumerate(("a", "a", "a", "b"), 1)]
    path = json_file(tmp_path, [task(1, *votes, trust=0.5), task(2, annotation(9, ["b"]))])
    assert [e.weight for e in read_file(path, {"weight": "trust"}).examples] == [0.375, 1.0]
    assert [e.weight for e in read_file(path, {}).examples] == [0.75, 1.0]


def test_an_export_without_an_answer_says_so(tmp_path):
    """Where labels are needed; with the reasons, not with columns."""
    path = lines_file(tmp_path, [{"data": {"text": "t"}}, {"data": {"text": "u"}}])
    with pytest.raises(DataError, match=r"no row of .* task file: 0 labelled, 2 without an answer"):
        read_file(path, {"label": "topic"}).labelled  # noqa: B018 - a property
    path = json_file(tmp_path, [task(1, annotation(1, ["a"], was_cancelled=True))])
    with pytest.raises(DataError, match=r"no row of .* export: 0 labelled, 1 skipped"):
        read_file(path, {}).labelled  # noqa: B018 - a property
