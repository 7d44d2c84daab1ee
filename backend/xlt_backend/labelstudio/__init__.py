"""Label Studio: its API, its JSON and its labelling interfaces."""
