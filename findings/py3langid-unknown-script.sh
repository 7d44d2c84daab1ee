#!/usr/bin/env bash
# py3langid 0.4.0 is sure that texts in scripts it has never seen are Amharic.
#
# Guess:  a text whose script belongs to no language of the model is unlike all of them, so the
#         probabilities are low; min_confidence, "abstention", then returns "und".
# Seen:   Santali in Ol Chiki, Inuktitut in syllabics, Balinese and Mongolian in their own scripts
#         are Amharic with 0.80 to 0.93; Tigrinya is Amharic with 1.00 and Tibetan Dzongkha with
#         1.00, the only languages of those scripts in the model. The characters of these scripts
#         start with the same byte in UTF-8 as Amharic's, and bytes are what the model sees.
#         Dhivehi and N'Ko, which start with another byte, are "und". No threshold tells them apart.
# Against: the README: "low-confidence predictions are returned as und (undetermined)".
# Hurt:   collections sorted by language before labelling: texts of languages with few resources
#         are given to annotators of Amharic, with a probability that invites no second look.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check py3langid==0.4.0 numpy==2.4.6

PYTHONUTF8=1 "$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
from py3langid.langid import MODEL_FILE, LanguageIdentifier

TEXTS = {
    "Santali": "ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ ᱨᱮ ᱚᱞ",
    "Inuktitut": "ᐃᓄᒃᑎᑐᑦ ᐅᖃᐅᓯᖅ",
    "Balinese": "ᬅᬓ᭄ᬱᬭ ᬩᬮᬶ",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ",
    "Tigrinya": "ሰላም ንዓኹም ከመይ ኣለኹም ሎሚ",
    "Tibetan": "བོད་སྐད་ཡིན།",
    "Dhivehi": "ދިވެހި ބަސް",
    "N'Ko": "ߒߞߏ ߞߊ߲ ߦߋ߫",
}
identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=0.7)
for language, text in TEXTS.items():
    code, probability = identifier.classify(text)
    print(f"{language}: {code} {probability:.2f}, first byte {text.encode()[0]:#x}")
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
Santali: am 0.93, first byte 0xe1
Inuktitut: am 0.80, first byte 0xe1
Balinese: am 0.84, first byte 0xe1
Mongolian: am 0.80, first byte 0xe1
Tigrinya: am 1.00, first byte 0xe1
Tibetan: dz 1.00, first byte 0xe0
Dhivehi: und 0.02, first byte 0xde
N'Ko: und 0.02, first byte 0xdf
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
