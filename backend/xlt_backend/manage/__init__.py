"""Commands for people who look after a project: `xlt versions`, `xlt pause`, `xlt resume`."""
