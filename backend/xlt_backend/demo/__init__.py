"""The demo: the whole loop on a real Label Studio, with a scripted annotator if wanted."""
