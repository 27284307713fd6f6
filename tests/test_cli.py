"""The command line: what it prints, and that an error is one line with exit code 2."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import graphc
from graphc.cli import main

MODELS = Path(__file__).resolve().parent.parent / "models"


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def test_export_of_the_guides_mlp(tmp_path):
    out = tmp_path / "m.onnx"
    result = run("export", MODELS / "mnist_mlp.json", "-o", out, "--verify")
    model = onnx.load(out)
    assert [n.op_type for n in model.graph.node] == ["Gemm", "Relu", "Gemm", "Relu", "Gemm"]
    assert model.graph.input[0].name == "pixels"
    assert model.graph.output[0].name == "logits"
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert model.ir_version == 10
    assert model.opset_import[0].version == 21
    assert re.search(r"verified logits: largest difference \d\.?\d*e?-?\d* ", result.stdout)
    assert "seeded initial weights" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_export_is_the_same_file_each_time(tmp_path):
    files = [tmp_path / n for n in ("a.onnx", "b.onnx")]
    for file in files:
        run("export", MODELS / "digits_cnn.json", "-o", file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_export_with_weights_gives_the_models_numbers(tmp_path):
    from graphc.runtimes import ort_runtime
    from graphc.saving.model_json import read_model

    model = read_model(MODELS / "digits_cnn.json")
    model.save_weights(tmp_path / "m.weights.h5")
    result = run(
        "export", MODELS / "digits_cnn.json", "-o", tmp_path / "m.onnx", "--weights", tmp_path / "m.weights.h5"
    )
    assert result.stderr == ""
    x = np.random.default_rng(0).random((3, 8, 8, 1), dtype="float32")
    np.testing.assert_allclose(
        ort_runtime.prepare(tmp_path / "m.onnx").run({"image": x})["logits"], model(x), rtol=1e-5, atol=1e-5
    )


def test_dumped_ir_parses(tmp_path):
    from graphc.ir.parser import parse_graph
    from graphc.ops.registry import OPS

    result = run("export", MODELS / "mnist_mlp.json", "-o", tmp_path / "m.onnx", "--dump-ir-after", "fuse_gemm")
    text = result.stdout[: result.stdout.index(str(tmp_path / "m.onnx"))]
    assert text.startswith("// after fuse_gemm")
    assert [n.op for n in parse_graph(text, OPS) if n.op == "Gemm"] == ["Gemm"] * 3


@pytest.mark.parametrize("opset", [18, 21, 23])
def test_opset(tmp_path, opset):
    run("export", MODELS / "digits_cnn.json", "-o", tmp_path / "m.onnx", "--opset", opset, "--verify")
    assert onnx.load(tmp_path / "m.onnx").opset_import[0].version == opset


def test_run(tmp_path):
    run("export", MODELS / "mnist_mlp.json", "-o", tmp_path / "m.onnx")
    x = np.random.default_rng(0).random((4, 784), dtype="float32")
    np.savez(tmp_path / "x.npz", pixels=x)
    run("run", tmp_path / "m.onnx", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    run("run", MODELS / "mnist_mlp.json", "--runtime", "numpy", "--input", tmp_path / "x.npz", "-o", tmp_path / "z.npz")
    by_ort, by_numpy = np.load(tmp_path / "y.npz")["logits"], np.load(tmp_path / "z.npz")["logits"]
    assert by_ort.shape == (4, 10)
    np.testing.assert_allclose(by_ort, by_numpy, rtol=1e-5, atol=1e-5)


def test_summary_passes_and_doctor():
    assert "hidden_1 (Dense)" in run("summary", MODELS / "mnist_mlp.json").stdout
    listed = run("passes").stdout
    for name in ("prune", "fold", "cse", "simplify", "fuse_gemm", "O0", "O1", "O2"):
        assert name in listed
    report = run("doctor").stdout
    assert f"graphc {graphc.__version__}" in report
    assert f"numpy {np.__version__}" in report
    assert "BLAS" in report


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "none.json", "-o", "m.onnx"], "no such file"),
        (["summary", "."], "not a regular file"),
        (["export", MODELS / "mnist_mlp.json", "-o", "no/folder/m.onnx"], "no/folder"),
        (["export", MODELS / "mnist_mlp.json", "-o", "m.onnx", "--opset", "3"], "Opset 3"),
        (["export", MODELS / "mnist_mlp.json", "-o", "m.onnx", "--pipeline", "O9"], "O9"),
        (["export", MODELS / "mnist_mlp.json", "-o", "m.onnx", "--dump-ir-after", "foldd"], "fold"),
        (["export", MODELS / "mnist_mlp.json", "-o", "m.onnx", "--weights", "w.weights.h5"], "no such file"),
        (["run", "none.onnx", "--input", "x.npz", "-o", "y.npz"], "no such file"),
        (["run", MODELS / "mnist_mlp.json", "--runtime", "numpy", "--input", "x.npz", "-o", "y.npz"], "x.npz"),
    ],
)
def test_an_error_is_one_line_with_exit_code_2(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments, code=2)
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("graphc: error: ")
    assert words in line
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_truncated_json_and_unknown_class(tmp_path):
    text = (MODELS / "mnist_mlp.json").read_text()
    file = tmp_path / "m.json"
    file.write_text(text[:300])
    assert "not valid JSON" in run("summary", file, code=2).stderr
    file.write_text(text.replace('"Dense"', '"Dens"'))
    assert 'Did you mean "Dense"' in run("summary", file, code=2).stderr


def test_an_unwritable_output_keeps_the_old_file(tmp_path):
    target = tmp_path / "m.onnx"
    target.mkdir()
    result = run("export", MODELS / "mnist_mlp.json", "-o", target, code=2)
    assert "a folder" in result.stderr
    assert list(tmp_path.iterdir()) == [target]


def test_debug_shows_the_traceback():
    result = CliRunner().invoke(main, ["--debug", "summary", "none.json"])
    assert result.exit_code == 1
    assert isinstance(result.exception, graphc.errors.ModelFileError)


def test_cuda_never_falls_back(tmp_path):
    from graphc.runtimes import ort_runtime

    if "cuda" in ort_runtime.providers():
        pytest.skip("a CUDA provider is installed here")
    run("export", MODELS / "mnist_mlp.json", "-o", tmp_path / "m.onnx")
    np.savez(tmp_path / "x.npz", pixels=np.zeros((1, 784), "float32"))
    result = run(
        "run",
        tmp_path / "m.onnx",
        "--runtime",
        "ort-cuda",
        "--input",
        tmp_path / "x.npz",
        "-o",
        tmp_path / "y.npz",
        code=2,
    )
    assert "graphc[gpu]" in result.stderr
    assert not (tmp_path / "y.npz").exists()


def test_run_an_onnx_file_on_numpy(tmp_path):
    run("export", MODELS / "digits_cnn.json", "-o", tmp_path / "m.onnx")
    np.savez(tmp_path / "x.npz", image=np.random.default_rng(0).random((5, 8, 8, 1), dtype="float32"))
    for runtime in ("ort", "numpy"):
        arguments = ["--input", tmp_path / "x.npz", "-o", tmp_path / f"{runtime}.npz", "--runtime", runtime]
        assert run("run", tmp_path / "m.onnx", *arguments).stderr == ""
    by_ort, by_numpy = np.load(tmp_path / "ort.npz")["logits"], np.load(tmp_path / "numpy.npz")["logits"]
    np.testing.assert_allclose(by_numpy, by_ort, rtol=1e-5, atol=1e-5)
    (tmp_path / "m.onnx").write_bytes((tmp_path / "m.onnx").read_bytes()[:-100])
    result = run("run", tmp_path / "m.onnx", *arguments, code=2)
    assert result.stderr.startswith(f"graphc: error: {tmp_path / 'm.onnx'}: ")
    assert len(result.stderr.strip().splitlines()) == 1
