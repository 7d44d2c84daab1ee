"""Exports of labelling tools with spans become examples with the spans that annotators agree on."""

from __future__ import annotations

import pytest
from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.converter import Format

from tests.xlt.tasks.exported import annotation, json_file, lines_file, result, task
from xlt.data.spans import Span
from xlt.errors import DataError
from xlt.tasks.exports import read_file

TEXT = "Ama lives in Accra."
PERSON, PLACE = Span(0, 3, "PER"), Span(13, 18, "LOC")
KINDS = (None, "spans")
INTERFACE = """<View><Text name="text" value="$text"/>
<Labels name="ner" toName="text"><Label value="PER"/><Label value="LOC"/></Labels></View>"""


def region(start, end, *labels, control="ner", text=None, type="labels"):
    """A region as Label Studio's page submits it."""
    value = {"start": start, "end": end, "labels": list(labels)}
    value |= {"text": TEXT[start:end] if text is None else text} if text != "" else {}
    return {"id": "r", "from_name": control, "to_name": "text", "type": type, "value": value}


def marked(number, *regions, who=1, **more):
    """An annotation with regions."""
    return annotation(number, [], who, result=list(regions), **more)


PERSON_REGION, PLACE_REGION = region(0, 3, "PER"), region(13, 18, "LOC")


def written(folder, form, tasks):
    """The tasks in a format of Label Studio, by its own converter; JSON is what it starts from."""
    path = json_file(folder, tasks)
    if form != "JSON":
        Converter(INTERFACE, project_dir=None).convert(
            str(path), str(folder / form), getattr(Format, form), is_dir=False
        )
        [path] = (folder / form).iterdir()
    return path


def read(path, *, label=None, **options):
    """The answers by id, and the lines for users."""
    corpus = read_file(path, {"label": label}, **options)
    return {example.id: example.answer for example in corpus.examples}, corpus.lines


# Label Studio ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JSON", "JSON_MIN", "CSV", "TSV"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("label", [None, "ner"])
def test_regions_are_read_in_every_format(tmp_path, form, kind, label):
    """Of the only control that has some; an annotation without one says that there is no span."""
    tasks = [
        task(1, marked(1, PERSON_REGION, PLACE_REGION), text=TEXT),
        task(2, marked(2), text=TEXT),
    ]
    answers, lines = read(written(tmp_path, form, tasks), label=label, kind=kind)
    assert answers == {"1": (PERSON, PLACE), "2": ()}
    assert lines[0] == "read 2 tasks of a Label Studio export: 2 labelled (labels from 'ner')"
    assert lines[2].startswith("read 2 spans of ")
    assert lines[2].endswith(", 1 of 2 texts without one")


@pytest.mark.parametrize("form", ["JSON", "JSON_MIN", "CSV"])
def test_annotators_agree_on_spans_as_in_the_service(tmp_path, form):
    """A span counts if more than half marked it; if none of several has a majority, none does."""
    tasks = [
        task(
            1,
            marked(1, PERSON_REGION, PLACE_REGION, who=1),
            marked(2, PERSON_REGION, who=2),
            marked(3, PERSON_REGION, region(4, 9, "LOC"), who=3),
            text=TEXT,
        ),
        task(2, marked(4, PERSON_REGION, who=1), marked(5, PLACE_REGION, who=2), text=TEXT),
    ]
    answers, lines = read(written(tmp_path, form, tasks))
    assert answers == {"1": (PERSON,), "2": None}
    assert "1 labelled, 1 on which annotators disagree" in lines[0]


def test_conll2003_of_label_studio_is_read_as_far_as_it_goes(tmp_path):
    """Whole words have their spans; what it loses is said."""
    khmer = "ខ្ញុំរស់នៅភ្នំពេញ"
    tasks = [
        task(1, marked(1, PERSON_REGION, PLACE_REGION), text=TEXT),
        task(2, marked(2, region(9, 17, "LOC", text=khmer[9:])), text=khmer),
        task(3, marked(3, region(0, 5, "LOC", text="Accra")), marked(4, who=2), text="Accra"),
    ]
    corpus = read_file(written(tmp_path, "CONLL2003", tasks), {})
    answers = [[e.text[s.start : s.end] for s in e.answer] for e in corpus.examples]
    assert sorted(answers) == [[], ["Accra"], ["Ama", "Accra"], [khmer]]
    assert [
        line.split(", as Label Studio's CONLL2003 export")[0] for line in corpus.lines[2:4]
    ] == [
        "1 text of result.conll in a script without spaces is one token with a tag",
        "1 text of result.conll is there more than once, with different tags",
    ]


def test_skips_and_ground_truth_count_as_for_other_kinds(tmp_path):
    """What is no answer is in the summary."""
    truth = marked(3, PLACE_REGION, who=2, ground_truth=True)
    tasks = [
        task(1, marked(1, PERSON_REGION, was_cancelled=True), text=TEXT),
        task(2, marked(2, PERSON_REGION), truth, text=TEXT),
        task(3, text=TEXT),
        task(4, marked(4, PERSON_REGION, parent_prediction=9, lead_time=None), text=TEXT),
    ]
    answers, lines = read(json_file(tmp_path, tasks))
    assert answers == {"1": None, "2": (PLACE,), "3": None, "4": None}
    assert "1 labelled, 1 skipped, 1 without an answer, 1 annotated by the machine" in lines[0]


def test_regions_that_are_no_spans_of_the_text_are_counted(tmp_path):
    """By reason; the rest of the task is used."""
    bad = [region(4, 99, "LOC"), region(5, 5, "LOC"), region(9, 4, "LOC"), region(4, 9)]
    bad.append(region("4", "9", "LOC", text="lives"))
    path = json_file(tmp_path, [task(1, marked(1, PERSON_REGION, *bad), text=TEXT)])
    answers, lines = read(path)
    assert answers == {"1": (PERSON,)}
    assert lines[2] == (
        "read 1 span of export.json, 0 of 1 text without one; left out 1 beyond the text, "
        "1 empty, 1 of unknown form, 1 with the end before the start, 1 without a label"
    )


def test_an_empty_list_in_a_cell_is_no_region(tmp_path):
    """As scripts write it that fill the cells which Label Studio leaves empty."""
    rows = [
        {"text": TEXT, "ner": [PERSON_REGION["value"]], "annotator": 1, "annotation_id": 1},
        {"text": f"{TEXT} No.", "ner": [], "annotator": 1, "annotation_id": 2},
    ]
    rows[1]["ner"] = "[]"
    answers, lines = read(json_file(tmp_path, rows))
    assert list(answers.values()) == [(PERSON,), ()]
    assert lines[2] == "read 1 span of export.json, 1 of 2 texts without one"


def test_offsets_count_characters_of_the_text_as_it_is(tmp_path):
    """In scripts beyond the BMP, with white space around, and over line ends."""
    text = " \n𞤀𞤣𞤢𞤥 Accra.\nAma "
    regions = [region(2, 6, "PER", text="𞤀𞤣𞤢𞤥"), region(7, 17, "LOC", text="Accra.\\nAma")]
    corpus = read_file(json_file(tmp_path, [task(1, marked(1, *regions), text=text)]), {})
    [example] = corpus.examples
    assert [example.text[s.start : s.end] for s in example.answer] == ["𞤀𞤣𞤢𞤥", "Accra.\nAma"]
    assert corpus.lines[2] == "read 2 spans of export.json, 0 of 1 text without one"


def test_offsets_in_utf16_are_converted_if_the_texts_of_regions_show_it(tmp_path):
    """As programs in JavaScript import them."""
    text = "𞤀𞤣𞤢𞤥 Ama"
    path = json_file(tmp_path, [task(1, marked(1, region(9, 12, "PER", text="Ama")), text=text)])
    answers, lines = read(path)
    assert answers == {"1": (Span(5, 8, "PER"),)}
    assert lines[2].endswith("the spans' own texts show that offsets count UTF-16 code units")
    path = json_file(tmp_path, [task(1, marked(1, region(0, 3, "PER", text="")), text=text)])
    assert read(path)[0] == {"1": (PERSON,)}


def test_choices_come_before_spans_unless_spans_are_wanted(tmp_path):
    """A project with both can be read for either."""
    both = [result(["news"], "topic"), PERSON_REGION]
    path = json_file(tmp_path, [task(1, marked(1, *both), text=TEXT)])
    assert read(path)[0] == {"1": "news"}
    assert read(path, kind="multi_label")[0] == {"1": ("news",)}
    assert read(path, kind="spans")[0] == {"1": (PERSON,)}
    assert read(path, label="ner")[0] == {"1": (PERSON,)}
    more = [*both, region(13, 18, "LOC", control="places")]
    path = json_file(tmp_path, [task(1, marked(1, *more), text=TEXT)])
    with pytest.raises(DataError, match=r"several controls: 'ner', 'places': choose .* --label"):
        read(path, kind="spans")
    with pytest.raises(
        DataError, match=r"control 'who' .*, or spans; .*: 'topic', 'ner', 'places'"
    ):
        read(path, label="who")


@pytest.mark.parametrize("type", ["hypertextlabels", "labels"])
def test_regions_of_marked_up_text_are_no_spans(tmp_path, type):
    """Their offsets are paths; the control is named, and nothing is taken for unmarked."""
    regions = region("/p[1]/text()[1]", "/p[1]/text()[1]", "PER", text="Ama", type=type)
    path = json_file(tmp_path, [task(1, marked(1, regions), text=TEXT)])
    for kind in KINDS:
        with pytest.raises(DataError, match=rf"got answers to 'ner \({type}\)'") as caught:
            read(path, kind=kind)
        assert "\n" not in str(caught.value)


def test_an_export_without_any_region_has_no_spans_for_a_model_of_spans(tmp_path):
    """Annotators looked at the texts and found none."""
    path = json_file(tmp_path, [task(1, marked(1), text=TEXT), task(2, text=TEXT)])
    assert read(path, kind="spans")[0] == {"1": (), "2": None}


def test_only_what_is_read_of_a_split_is_counted(tmp_path):
    """The spans of the others are not among those that were read."""
    tasks = [
        task(1, marked(1, PERSON_REGION, region(1, 99, "X")), text=TEXT, split="a"),
        task(2, marked(2, PLACE_REGION), text=TEXT, split="b"),
    ]
    answers, lines = read(json_file(tmp_path, tasks), split="b")
    assert answers == {"2": (PLACE,)}
    assert lines[2] == "read 1 span of export.json, 0 of 1 text without one"


# doccano and Prodigy --------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["text", "data"])
def test_doccano_s_spans_are_read(tmp_path, text):
    """An empty list is how it writes a text without an answer, too."""
    rows = [
        {"id": 1, text: TEXT, "label": [[0, 3, "PER"], [13, 18, "LOC"]], "Comments": []},
        {"id": 2, text: TEXT, "label": [], "Comments": []},
    ]
    answers, lines = read(lines_file(tmp_path, rows))
    assert answers == {"1": (PERSON, PLACE), "2": None}
    assert "a doccano export: 1 labelled, 1 without an answer (labels from 'label')" in lines[0]
    assert [e.answer for e in read_file(tmp_path / "export.jsonl", {}, answers=False).examples] == [
        None,
        None,
    ]


def test_doccano_s_entities_are_read(tmp_path):
    """As it writes them with relations."""
    entity = {"id": 4, "label": "PER", "start_offset": 0, "end_offset": 3}
    rows = [{"id": 1, "text": TEXT, "entities": [entity], "relations": [], "Comments": []}]
    assert read(lines_file(tmp_path, rows))[0] == {"1": (PERSON,)}


def test_a_label_among_the_spans_of_doccano_is_named(tmp_path):
    """A file is of one kind."""
    rows = [
        {"id": n, "text": TEXT, "label": label, "Comments": []}
        for n, label in enumerate([[[0, 3, "PER"]], ["news"]])
    ]
    with pytest.raises(DataError, match=r"row 2: expected a list of spans, got \['news'\]"):
        read(lines_file(tmp_path, rows))


def prodigy(number, *spans, answer="accept", **more):
    """A row of Prodigy's manual interface."""
    marks = [{"start": s.start, "end": s.end, "label": s.label, "token_start": 0} for s in spans]
    given = {"spans": marks, "tokens": [], "_input_hash": number, "_view_id": "ner_manual"}
    return {"text": TEXT, "answer": answer, **given, **more}


def test_prodigy_s_spans_are_read(tmp_path):
    """The last answer of each annotator; rejected, ignored and partial ones are counted."""
    rows = [
        prodigy(1, PLACE),
        prodigy(1, PERSON, PLACE),
        prodigy(2),
        prodigy(3, PERSON, answer="reject"),
        prodigy(4, PERSON, answer="ignore"),
        prodigy(5, PERSON, _view_id="ner"),
        prodigy(6, PERSON, _is_binary=True),
    ]
    answers, lines = read(lines_file(tmp_path, rows))
    assert list(answers.values()) == [(PERSON, PLACE), (), None, None, None, None]
    assert lines[0] == (
        "read 6 texts of a Prodigy export: 2 labelled, 2 about one span only, 1 rejected, "
        "1 ignored (labels from 'spans')"
    )


def test_prodigy_s_annotators_agree_on_spans(tmp_path):
    """Each has one vote."""
    rows = [prodigy(1, PERSON, _annotator_id=who) for who in "ab"]
    rows.append(prodigy(1, PLACE, _annotator_id="c"))
    assert list(read(lines_file(tmp_path, rows))[0].values()) == [(PERSON,)]


def test_prodigy_s_labels_of_texts_come_before_spans(tmp_path):
    """Matches of patterns are marked in them."""
    rows = [prodigy(1, PERSON, label="news")]
    path = lines_file(tmp_path, rows)
    assert list(read(path)[0].values()) == ["news"]
    assert list(read(path, label="spans")[0].values()) == [(PERSON,)]
    assert list(read(path, kind="spans")[0].values()) == [(PERSON,)]


def test_labels_of_texts_are_no_answers_for_a_model_of_spans(tmp_path):
    """They are not taken for texts without spans."""
    rows = {
        "prodigy": [{"text": TEXT, "label": "news", "answer": "accept"}],
        "doccano": [{"id": 1, "text": TEXT, "label": ["news"], "Comments": []}],
        "JSON_MIN": [{"id": 1, "text": TEXT, "topic": "news", "annotation_id": 1, "lead_time": 1}],
    }
    for tool, given in rows.items():
        path = lines_file(tmp_path, given, f"{tool}.jsonl")
        assert list(read(path, label="topic" if tool == "JSON_MIN" else None)[0].values()) == [
            "news"
        ]
        with pytest.raises(DataError, match=r"expected (spans, got labels|'spans', got)") as caught:
            read(path, kind="spans", label="topic" if tool == "JSON_MIN" else None)
        assert "\n" not in str(caught.value)
