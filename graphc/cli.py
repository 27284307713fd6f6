"""The command line: ``graphc export``, ``summary``, ``run``, ``passes``, ``doctor``.

An error is one line that says what is wrong and how to mend it, with exit code 2; ``--debug`` shows the traceback.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from graphc._version import __version__
from graphc.errors import GraphcError

_SEED = 0


class _Commands(click.Group):
    """Turns errors that a user can mend into one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (GraphcError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            text = " ".join(str(error).split())
            click.echo(f"graphc: error: {text}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="graphc")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Write models with the Keras functional API, train them with NumPy, ship them as ONNX."""
    del debug  # read from the context when an error comes


def _load_model(source: str, weights: str | None) -> Any:
    """The model of a model.json, with weights from a file or seeded initial ones."""
    import graphc
    from graphc.saving.model_json import read_model

    graphc.utils.set_random_seed(_SEED)
    model = read_model(source)
    if not model.built:
        raise GraphcError(f"{source}: the model does not say the shape of its input, so it cannot be built.")
    if weights is not None:
        model.load_weights(weights)
    return model


@main.command()
@click.argument("source", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The ONNX file to write.")
@click.option("--weights", type=click.Path(), help="A .weights.h5 file; seeded initial weights by default.")
@click.option("--opset", type=int, help="The ONNX opset; 21 by default.")
@click.option("--target", help="What must be able to read the file: ort==1.20.")
@click.option("--pipeline", default="O2", show_default=True, help="The passes to run; see `graphc passes`.")
@click.option("--verify", is_flag=True, help="Compare the model in NumPy with the file in ONNX Runtime.")
@click.option("--dump-ir-after", multiple=True, metavar="PASS", help="Print the IR after this pass; may be repeated.")
def export(
    source: str,
    output: str,
    weights: str | None,
    opset: int | None,
    target: str | None,
    pipeline: str,
    verify: bool,
    dump_ir_after: tuple[str, ...],
) -> None:
    """Write the model of SOURCE (a model.json) as an ONNX file."""
    from graphc.export import export_model

    model = _load_model(source, weights)
    if weights is None:
        click.echo(
            f"graphc: {source} holds no weights: seeded initial weights are used (pass --weights FILE).", err=True
        )
    done = export_model(
        model, output, opset=opset, target=target, pipeline=pipeline, verify=verify, dump_ir_after=dump_ir_after,
        dump=lambda name, text: click.echo(f"// after {name}\n{text}"),
    )  # fmt: skip
    size = sum(f.stat().st_size for f in done.files)
    click.echo(f"{done.files[0]}: {len(done.nodes)} nodes ({', '.join(done.nodes[:12])}{', ...' * (len(done.nodes) > 12)}), "
               f"{size:,} bytes")  # fmt: skip
    for difference in done.differences:
        click.echo(
            f"verified {difference.output}: largest difference {difference.largest:.3g} (ONNX Runtime against NumPy)"
        )


@main.command()
@click.argument("source", type=click.Path())
@click.option("--line-length", type=int, help="Characters in a line.")
@click.option("--expand-nested", is_flag=True, help="Show the layers of nested models.")
def summary(source: str, line_length: int | None, expand_nested: bool) -> None:
    """Print the layers of SOURCE (a model.json)."""
    _load_model(source, None).summary(line_length=line_length, expand_nested=expand_nested, print_fn=click.echo)


@main.command()
@click.argument("model", type=click.Path())
@click.option("--input", "inputs", required=True, type=click.Path(), help="A .npz file with one array for each input.")
@click.option("-o", "--output", required=True, type=click.Path(), help="The .npz file to write.")
@click.option(
    "--runtime", type=click.Choice(["ort", "ort-cuda", "numpy"]), default="ort", show_default=True, help="What runs it."
)
@click.option("--weights", type=click.Path(), help="Weights of a model.json that runs on numpy.")
def run(model: str, inputs: str, output: str, runtime: str, weights: str | None) -> None:
    """Run MODEL on the arrays of an .npz file.

    MODEL is an ONNX file, or a model.json for the runtime numpy.
    """
    from graphc.saving.npz import read_npz, write_npz

    arrays = read_npz(inputs)
    if runtime == "numpy":
        results = _run_numpy(model, weights, arrays)
    else:
        from graphc.runtimes import ort_runtime

        if not Path(model).exists():
            raise GraphcError(f"{model}: no such file.")
        provider = "cuda" if runtime == "ort-cuda" else "cpu"
        results = ort_runtime.prepare(model, provider=provider).run(arrays)
    write_npz(output, results)
    for name, array in results.items():
        click.echo(f"{name}: {array.dtype}{list(array.shape)}")


def _run_numpy(model: str, weights: str | None, arrays: dict[str, Any]) -> dict[str, Any]:
    if model.endswith(".onnx"):
        from graphc.runtimes import numpy_runtime
        from graphc.runtimes.onnx_import import from_onnx

        if weights is not None:
            raise GraphcError(f"{model} holds its own weights: leave out --weights, which is for a model.json.")
        try:
            return numpy_runtime.prepare(from_onnx(model)).run(arrays)
        except MemoryError as error:  # a small file may ask for any amount
            raise GraphcError(f"{model}: there is not enough memory: {error}") from error
    loaded = _load_model(model, weights)
    if weights is None:
        click.echo(
            f"graphc: {model} holds no weights: seeded initial weights are used (pass --weights FILE).", err=True
        )
    results: dict[str, Any] = loaded._forward(training=False).run(loaded.as_feeds(arrays))
    return results


@main.command()
def passes() -> None:
    """List the passes and the pipelines."""
    from graphc.passes.base import name_of
    from graphc.passes.pipelines import PASSES, PIPELINES

    width = max(map(len, PASSES))
    click.echo("Passes (exact ones do not change a bit of the result):")
    for name, entry in PASSES.items():
        click.echo(f"  {name:{width}}  {'exact  ' if entry.exact else '       '}{entry.doc}")
    click.echo("Pipelines:")
    for name, steps in PIPELINES.items():
        click.echo(f"  {name:{width}}  {', '.join(map(name_of, steps)) or '(nothing)'}")


@main.command()
def doctor() -> None:
    """Say what is installed, what ONNX Runtime can use, and which BLAS kernels NumPy runs."""
    from graphc.doctor import report

    for line in report():
        click.echo(line)


if __name__ == "__main__":
    sys.exit(main())
