"""The IR: types, the graph, its builder, verifier, text form and traversal. Import from the modules themselves."""
