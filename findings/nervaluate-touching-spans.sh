#!/usr/bin/env bash
# nervaluate 1.2.1 counts spans that only touch as overlapping: a wrong entity scores 1.0.
#
# Guess:  spans of Prodigy's kind, which the README lists as an input, are character offsets whose
#         end is exclusive, text[start:end], as in Prodigy and Label Studio. Two spans that share
#         no character do not match.
# Seen:   the end is taken as part of the span. Where the model marks the place beside the right
#         one, "ent_type" gives F1 1.0 and "partial" 0.5 if nothing stands between the two, and 0.0
#         if a space does. (For tags of tokens the last token belongs to the entity; offsets of
#         characters are compared in the same way.)
# Against: Prodigy's format, by which text[start:end] is the span.
# Hurt:   languages written without spaces (Khmer, Thai, Lao, Burmese, Tibetan): their entities
#         touch one another, so a model is judged better there than in languages with spaces.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nervaluate==1.2.1

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
from nervaluate.evaluator import Evaluator


def show(text, right, wrong):
    spans = []
    for word in (right, wrong):
        start = text.index(word)
        spans.append({"label": "LOC", "start": start, "end": start + len(word)})
    truth, said = spans
    scores = Evaluator([[truth]], [[said]], tags=["LOC"], loader="dict").evaluate()["overall"]
    here, there = (set(range(span["start"], span["end"])) for span in spans)
    print(*spans[0].values(), "and", *spans[1].values(), "share", len(here & there), "characters")
    for name in ("strict", "exact", "partial", "ent_type"):
        print(" ", name, scores[name].f1)


show("ភ្នំពេញកំពត", "ភ្នំពេញ", "កំពត")
show("Phnom-Penh Kampot", "Phnom-Penh", "Kampot")
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
LOC 0 7 and LOC 7 11 share 0 characters
  strict 0
  exact 0
  partial 0.5
  ent_type 1.0
LOC 0 10 and LOC 11 17 share 0 characters
  strict 0
  exact 0
  partial 0
  ent_type 0
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
