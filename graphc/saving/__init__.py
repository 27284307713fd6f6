"""Reading and writing models. Each format has one choke point; no file can run code."""
