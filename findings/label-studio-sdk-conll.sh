#!/usr/bin/env bash
# label-studio-sdk 2.1.2, CONLL2003: entities that nobody marked, and whole sentences as one entity.
#
# Guess:  the export has the spans that people marked; where the format cannot hold them (nested, or
#         a part of a word) it says so, and tokens end where a span ends.
# Seen:   tokens are those of a tokenizer for English (NLTK's Treebank), and one that a span touches
#         is in it. A place in a Khmer sentence makes the whole sentence one token and one LOC;
#         "Nairobi" of "Nairobi-West" becomes all of it; the danda stays in the entity. A person in
#         the name of an organisation, "Kofi Annan" in "Kofi Annan Centre", gives the person and a
#         new organisation, "Centre". No warning.
# Against: CoNLL-2003, in which words and punctuation are tokens of their own, and the JSON export
#         of the same annotations.
# Hurt:   NER in languages without spaces (Khmer, Thai, Burmese), with clitics, or with punctuation
#         that is not ASCII: models learn and are scored on entities that no annotator marked.
# (--no-deps: of the SDK's 500 MB only what its converter imports is installed.)
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
  label-studio-sdk==2.1.2 appdirs==1.4.4 certifi==2026.10.18 charset-normalizer==3.5.2 \
  click==8.5.1 cloudpickle==3.1.2 defusedxml==0.7.1 idna==3.20 ijson==3.6.0 joblib==1.6.0 \
  lxml==6.1.3 nltk==3.10.4 numpy==2.4.6 pillow==13.0.0 pyjwt==2.13.0 regex==2026.11.19 \
  requests==2.34.2 tqdm==4.70.1 ujson==6.1.0 urllib3==2.8.0

PYTHONUTF8=1 "$folder/venv/bin/python" -W ignore - "$folder" >"$folder/seen" <<'EOF_PYTHON'
import json
import sys
from pathlib import Path

from label_studio_sdk.converter import Converter

INTERFACE = (
    '<View><Text name="text" value="$text"/><Labels name="ner" toName="text">'
    '<Label value="LOC"/><Label value="ORG"/><Label value="PER"/></Labels></View>'
)
MARKED = [
    ("លោកទៅភ្នំពេញម្សិលមិញ", [("LOC", "ភ្នំពេញ")]),
    ("Ta tafi Nairobi-West", [("LOC", "Nairobi")]),
    ("वह दिल्ली।", [("LOC", "दिल्ली")]),
    ("Kofi Annan Centre opens", [("PER", "Kofi Annan"), ("ORG", "Kofi Annan Centre")]),
]
tasks = []
for number, (text, spans) in enumerate(MARKED, start=1):
    results = []
    for label, words in spans:
        start = text.index(words)
        value = {"start": start, "end": start + len(words), "text": words, "labels": [label]}
        results.append(
            {"from_name": "ner", "to_name": "text", "type": "labels", "id": label, "value": value}
        )
    annotation = {"id": number, "completed_by": 1, "was_cancelled": False, "result": results}
    tasks.append({"id": number, "data": {"text": text}, "annotations": [annotation]})

folder = Path(sys.argv[1])
(folder / "export").mkdir()
(folder / "export" / "tasks.json").write_text(json.dumps(tasks))
converter = Converter(INTERFACE, project_dir=str(folder), download_resources=False)
converter.convert_to_conll2003(str(folder / "export"), str(folder / "conll"))
print((folder / "conll" / "result.conll").read_text().rstrip())
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
-DOCSTART- -X- O
លោកទៅភ្នំពេញម្សិលមិញ -X- _ B-LOC

Ta -X- _ O
tafi -X- _ O
Nairobi-West -X- _ B-LOC

वह -X- _ O
दिल्ली। -X- _ B-LOC

Kofi -X- _ B-PER
Annan -X- _ I-PER
Centre -X- _ B-ORG
opens -X- _ O
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
