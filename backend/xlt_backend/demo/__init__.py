"""The demo: the whole loop on a real Label Studio, optionally with a scripted annotator."""
