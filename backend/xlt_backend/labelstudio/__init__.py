"""Label Studio: its API, its JSON, its labelling interfaces."""
