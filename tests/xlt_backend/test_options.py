"""Options of one project, from Label Studio's `extra_params`."""

from __future__ import annotations

import pytest

from xlt.errors import ConfigError
from xlt.sampling.select import SamplerOptions
from xlt_backend.options import ProjectOptions

of = ProjectOptions.from_extra_params


@pytest.mark.parametrize("raw", [None, "", {}, "{}"])
def test_nothing_means_the_defaults(raw):
    """Label Studio sends null, an object, or its text."""
    assert of(raw) == ProjectOptions()


def test_text_and_object_mean_the_same():
    """Both are accepted; one language or one text needs no list."""
    assert of('{"batch": 10, "source_languages": "en", "texts": "premise"}') == of(
        {"batch": 10, "source_languages": ["en"], "texts": ["premise"]}
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"retrain_afer": 1}, "unknown option 'retrain_afer'; known: text_field"),
        ({"batch": 0}, "batch = 0"),
        ({"audit_share": 0.9}, "audit_share = 0.9"),
        ({"quota": "fair"}, "quota"),
        ({"rename": {"a": 1}}, "rename.a = 1"),
        ({"rename": ["a=b"]}, "rename = ['a=b']"),
        ({"rename": {"a": "b", "b": "c"}}, "'a' is renamed to 'b', which is renamed itself"),
        ({"rename": {"a": "a"}}, "'a' is renamed to itself"),
        ({"texts": []}, "texts = []"),
        ({"text_field": "a", "texts": ["b"]}, "text_field names the one text that is read"),
        ("{", "not JSON"),
        ([1], "must be a JSON object, got list"),
        (7, "must be a JSON object, got int"),
    ],
)
def test_bad_options_are_named(raw, words):
    """The message has the option, the value, and what is known."""
    with pytest.raises(ConfigError) as caught:
        of(raw)

    assert words in str(caught.value)


def test_sampler_takes_over_what_is_set():
    """The defaults are the sampler's own; a weight per language is a fixed quota."""
    assert ProjectOptions(source_languages=()).sampler() == SamplerOptions()
    sampler = of({"quota": {"sw": 2, "yo": 1}, "batch": 7, "source_share": 0.1}).sampler()

    assert (sampler.quota, sampler.shares) == ("fixed", {"sw": 2.0, "yo": 1.0})
    assert (sampler.batch, sampler.source_share) == (7, 0.1)


def test_training_takes_over_what_is_set():
    """The installation's encoder, unless the project names its own."""
    assert ProjectOptions().training("folder").encoder == "folder"
    options = of({"train": {"encoder": "xlm-roberta-base", "seed": 4}})
    assert options.training("folder").encoder == "xlm-roberta-base"
    assert options.training("folder").seed == 4
    with pytest.raises(ConfigError, match="epochs: the learner frozen has no such setting"):
        of({"train": {"learner": "frozen", "epochs": 5}}).training("bundled")
    with pytest.raises(ConfigError, match="sed"):
        of({"train": {"sed": 4}}).training("bundled")
