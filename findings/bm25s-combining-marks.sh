#!/usr/bin/env bash
# bm25s 0.3.16 finds one token in four Hindi or Burmese words; a search then returns scores of 0.0.
#
# Guess:  "(?u)\b\w\w+\b" is Unicode's idea of a word, so a script with spaces between its words is
#         tokenised at the spaces; a document that is its own query comes first.
# Seen:   to Python's re, vowel signs and viramas are no \w. They end a word, and pieces of one
#         letter are dropped: of Hindi, Burmese and Sinhala nearly nothing is left, Amharic and
#         Hausa are whole. Indexing such texts and searching them raises nothing: k documents come
#         back, each with the score 0.0, also for a query that equals one of them.
# Against: UAX #29, rule WB4: marks belong to the letter before them.
# Hurt:   whoever searches texts of India, Sri Lanka or Myanmar, or fuses ranks of BM25 with others:
#         a ranking comes back that has nothing to do with the query.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bm25s==0.3.16

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
import bm25s


def tokens(texts, **options):
    return bm25s.tokenize(texts, stopwords=None, show_progress=False, **options)


TEXTS = {
    "Hindi": "हिन्दी में किताब पढ़ना",
    "Burmese": "ရေ သောက် စာ ဖတ်",
    "Sinhala": "සිංහල පොත",
    "Amharic": "ምግብ በላ",
    "Hausa": "Ina shan ruwa",
}
for language, text in TEXTS.items():
    found = len(tokens([text]).vocab)
    print(f"{language}: {found} tokens of {len(text.split())} words")

BOOKS = ["ရေ သောက်", "စာ ဖတ်", "ထမင်း စား"]
for name, options in {"default": {}, "by spaces": {"token_pattern": r"\S+"}}.items():
    index = bm25s.BM25()
    index.index(tokens(BOOKS, **options), show_progress=False)
    rows, scores = index.retrieve(tokens([BOOKS[0]], **options), k=3, show_progress=False)
    print(f"{name}: {len(rows[0])} documents for a copy of one, {(scores[0] > 0).sum()} above 0")
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
Hindi: 1 tokens of 4 words
Burmese: 1 tokens of 4 words
Sinhala: 1 tokens of 2 words
Amharic: 2 tokens of 2 words
Hausa: 3 tokens of 3 words
default: 3 documents for a copy of one, 0 above 0
by spaces: 3 documents for a copy of one, 1 above 0
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
