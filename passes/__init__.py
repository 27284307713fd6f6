"""Passes over the IR: `graphc.passes.pipelines` lists them, `graphc.passes.base` says what a pass is."""
