#!/usr/bin/env bash
# langcodes 3.5.1 does not know codes that were withdrawn after August 2021.
#
# Guess:  standardize_tag "replaces deprecated values with their correct versions, if possible"
#         (README); the release is from December 2025. A withdrawn code and its successor are one
#         language to tag_distance and closest_match.
# Seen:   the registry inside is of 2021-08-06. Of twelve codes that ISO 639-3 merged into others
#         since then none is replaced, and all are "valid". `ajp` (South Levantine Arabic, merged
#         into `apc` in January 2023) is 134 from `apc`, farther than from French, and of Levantine
#         Arabic, French and English the closest match to it is English. Tagalog, on the other
#         hand, which ISO 639-3 and the registry keep, becomes Filipino (an alias of CLDR).
# Against: the change requests of ISO 639-3, as the package iso639-lang 2.6.3 holds them, and RFC
#         5646, by which a tag is made canonical with the registry's Preferred-Value.
# Hurt:   data sets that carry the old codes beside the new ones (FLORES-200 has both ajp and apc):
#         their texts do not come together under one language, and a fallback picks a wrong one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  langcodes==3.5.1 language_data==1.4.0 iso639-lang==2.6.3

"$folder/venv/bin/python" - >"$folder/seen" <<'EOF_PYTHON'
import re
from pathlib import Path

import langcodes
from iso639 import Lang
from iso639.exceptions import DeprecatedLanguageValue

registry = Path(langcodes.__file__).parent / "data" / "language-subtag-registry.txt"
print(registry.read_text(encoding="utf-8").splitlines()[0])
for code in "ajp ajt lak nom nte pmk prp smd snb szd tmk xss tgl".split():
    try:
        said = f"is {Lang(code).name}"
    except DeprecatedLanguageValue as error:
        year, successor = re.search(r"As of (\d+).*Use \[(\w+)\]", str(error)).groups()
        said = f"{successor} since {year}"
    tag, valid = langcodes.standardize_tag(code), langcodes.tag_is_valid(code)
    print(f"{code}: ISO 639-3 {said}; langcodes {tag}, valid: {valid}")
print("ajp to apc", langcodes.tag_distance("ajp", "apc"))
print("ajp to fr", langcodes.tag_distance("ajp", "fr"))
print(langcodes.closest_match("ajp", ["apc", "fr", "en"], max_distance=200))
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
File-Date: 2021-08-06
ajp: ISO 639-3 apc since 2023; langcodes ajp, valid: True
ajt: ISO 639-3 aeb since 2022; langcodes ajt, valid: True
lak: ISO 639-3 ksp since 2022; langcodes lak, valid: True
nom: ISO 639-3 cbr since 2023; langcodes nom, valid: True
nte: ISO 639-3 eko since 2024; langcodes nte, valid: True
pmk: ISO 639-3 crr since 2023; langcodes pmk, valid: True
prp: ISO 639-3 guj since 2023; langcodes prp, valid: True
smd: ISO 639-3 kmb since 2022; langcodes smd, valid: True
snb: ISO 639-3 iba since 2022; langcodes snb, valid: True
szd: ISO 639-3 umi since 2023; langcodes szd, valid: True
tmk: ISO 639-3 tdg since 2023; langcodes tmk, valid: True
xss: ISO 639-3 zko since 2023; langcodes xss, valid: True
tgl: ISO 639-3 is Tagalog; langcodes fil, valid: True
ajp to apc 134
ajp to fr 84
('en', 80)
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
