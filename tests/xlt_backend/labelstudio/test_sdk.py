"""The client of Label Studio is imported without what xlt does not use of it."""

from __future__ import annotations

import json
import subprocess
import sys


def test_neither_tables_nor_sample_answers_are_imported():
    """In a process of its own; code that needs those packages imports them afterwards."""
    script = """
import json, sys
from xlt_backend.labelstudio.sdk import LabelStudio, LabelInterface
LabelInterface('<View><Text name="t" value="$t"/></View>')
LabelStudio(base_url="http://localhost", api_key="x").projects.exports
heavy = sorted({"pandas", "jsf", "faker", "pyarrow"} & set(sys.modules))
import pandas
print(json.dumps([heavy, pandas.DataFrame({"a": [1, 2]}).shape]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == [[], [2, 1]]


def test_packages_that_are_there_stay():
    """A process that has them keeps them."""
    script = """
import sys, pandas
from xlt_backend.labelstudio import sdk
print(sys.modules["pandas"] is pandas)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout == "True\n"
