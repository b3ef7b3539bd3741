"""Other machines: a node is a process there that starts workers and passes on what they are asked and what they say."""
