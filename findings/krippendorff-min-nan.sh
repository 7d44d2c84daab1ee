#!/usr/bin/env bash
# krippendorff 0.9.0 takes the label "nan", the code of Min Nan Chinese, for "not answered".
#
# Guess:  with labels that are strings every string is a label; the documentation says that
#         missing answers are given as numpy.nan.
# Seen:   all answers "nan" are left out without a warning. Two people who disagree on every text
#         of Min Nan get an agreement of 1.0; with "nan-Hant" written instead it is 0.38.
#         (Naming all labels in value_domain helps.)
# Against: ISO 639-3, in which nan is Min Nan Chinese, and the
#         documentation of the function.
# Hurt:   projects that label the language of texts: a language is missing from the measure of
#         agreement, and just where people disagree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check krippendorff==0.9.0 numpy==2.4.6

"$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
import krippendorff

ANSWERS = [
    ["yue", "yue", "hak", "hak", "nan", "hak", "nan"],
    ["yue", "yue", "hak", "hak", "yue", "nan", "hak"],
]


def alpha(answers):
    return krippendorff.alpha(reliability_data=answers, level_of_measurement="nominal")


print("nan", round(alpha(ANSWERS), 3))
other = [[{"nan": "nan-Hant"}.get(code, code) for code in row] for row in ANSWERS]
print("nan-Hant", round(alpha(other), 3))
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
nan 1.0
nan-Hant 0.381
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
