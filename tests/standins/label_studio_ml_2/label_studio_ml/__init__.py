"""What the 2.x generation of label-studio-ml does with a model; that one is not on PyPI.

Written for our tests from its observed behaviour: an instance per request made with id and
interface, values kept by `get` and `set`, `predict(tasks, context=…)`, `fit(event, data)`.
"""
