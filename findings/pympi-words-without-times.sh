#!/usr/bin/env bash
# pympi-ling 1.71 gives words of an ELAN file no times, and refuses to search their tier by time.
#
# Guess:  words on a tier that subdivides utterances are found by time, as in ELAN, which spreads
#         the words without times of their own evenly over the utterance; the documentation
#         promises (begin, end, value) and mentions no other case.
# Seen:   begin or end is None for all words at whose border no time was set, without a warning.
#         get_annotation_data_at_time and get_annotation_data_between_times raise TypeError on the
#         whole tier, for words that have times as well.
# Against: the schema of EAF 3.0, in which TIME_VALUE of a TIME_SLOT is optional, as tiers of the
#         stereotype Time_Subdivision need it.
# Hurt:   recordings of endangered languages, many of which are transcribed and glossed in ELAN:
#         labels of words cannot be joined with the utterance or the sound they belong to.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pympi-ling==1.71

cat >"$folder/story.eaf" <<'EOF_ELAN'
<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
<TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
<TIME_SLOT TIME_SLOT_ID="ts2"/>
<TIME_SLOT TIME_SLOT_ID="ts3"/>
<TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3000"/>
<TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="4000"/>
<TIME_SLOT TIME_SLOT_ID="ts6" TIME_VALUE="5000"/>
</TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="utterance" TIER_ID="utterance">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE>mo lo ile</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts5" TIME_SLOT_REF2="ts6">
<ANNOTATION_VALUE>beeni</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER>
<TIER LINGUISTIC_TYPE_REF="word" PARENT_REF="utterance" TIER_ID="word">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>mo</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a4" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
<ANNOTATION_VALUE>lo</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a5" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE>ile</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a6" TIME_SLOT_REF1="ts5" TIME_SLOT_REF2="ts6">
<ANNOTATION_VALUE>beeni</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
</TIER>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="utterance" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" LINGUISTIC_TYPE_ID="word" TIME_ALIGNABLE="true"/>
<CONSTRAINT DESCRIPTION="Time subdivision" STEREOTYPE="Time_Subdivision"/>
</ANNOTATION_DOCUMENT>
EOF_ELAN

"$folder/venv/bin/python" - "$folder/story.eaf" >"$folder/seen" <<'EOF_PYTHON'
import sys

from pympi.Elan import Eaf

story = Eaf(sys.argv[1])
print(story.get_annotation_data_for_tier("utterance"))
print(story.get_annotation_data_for_tier("word"))
for search in (
    lambda: story.get_annotation_data_at_time("word", 4500),
    lambda: story.get_annotation_data_between_times("word", 4000, 5000),
):
    try:
        print(search())
    except TypeError as error:
        print("TypeError:", error)
EOF_PYTHON

cat >"$folder/expected" <<'EOF_EXPECTED'
[(0, 3000, 'mo lo ile'), (4000, 5000, 'beeni')]
[(0, None, 'mo'), (None, None, 'lo'), (None, 3000, 'ile'), (4000, 5000, 'beeni')]
TypeError: '>=' not supported between instances of 'NoneType' and 'int'
TypeError: '>=' not supported between instances of 'NoneType' and 'int'
EOF_EXPECTED
diff -u "$folder/expected" "$folder/seen"
echo "seen as described"
