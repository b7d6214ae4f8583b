"""Search for the model in what the user names: a file, or a folder with other files beside it."""

from pathlib import Path

from catdog_stream.errors import InputError
from catdog_stream.terminal import shown

__all__ = ["UnexportedError", "find_model", "is_saved_model"]

_MODELS = {".onnx", ".tflite", ".keras", ".h5"}
#: PyTorch's and scikit-learn's files: pickles, or weights without the network.
_PICKLES = {".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".p", ".joblib", ".bin", ".safetensors"}
_EXPORT = """\
  model.load_state_dict(torch.load({file!r}, weights_only=True)); model.eval()  # your network
  torch.onnx.export(model, torch.zeros(1, 3, 224, 224), "model.onnx", output_names=["scores"],
                    input_names=["picture"], dynamic_axes={{"picture": [0], "scores": [0]}})"""


class UnexportedError(InputError):
    """File that has no network, or that only its own program can read."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} is not read: it may be a pickle, which can run any code, or has weights "
            "alone; these lines export a PyTorch model to ONNX:"
        )
        self._export = _EXPORT.format(file=shown(file.name))

    def format_message(self) -> str:
        """Return the sentence and the lines of Python."""
        return f"{super().format_message()}\n{self._export}"


def is_saved_model(path: Path) -> bool:
    """Return if ``path`` is a folder in TensorFlow's format SavedModel."""
    return (path / "saved_model.pb").is_file()


def find_model(given: Path) -> Path:
    """Return the model ``given``, or the only model in the folder ``given``.

    Raises ``InputError`` if there is none, several, or one of another kind.
    """
    if given.is_file():
        if given.suffix.lower() in _PICKLES:
            raise UnexportedError(given)
        if given.suffix.lower() not in _MODELS:
            raise InputError(
                f"{given} is not read as a model: .onnx, .tflite, .keras, .h5 and SavedModel are."
            )
        return given
    if not given.is_dir():
        raise InputError(f"There is no model {given}.")
    if is_saved_model(given):
        return given
    inside = sorted([*given.iterdir(), *given.glob("onnx/*")])  # as Hugging Face exports
    found = [each for each in inside if each.suffix.lower() in _MODELS or is_saved_model(each)]
    if len(found) > 1:
        names = ", ".join(str(each.relative_to(given)) for each in found)
        raise InputError(f"{given} has several models, {names}: name one of them.")
    if not found:
        for each in inside:
            if each.suffix.lower() in _PICKLES:
                raise UnexportedError(each)
        raise InputError(f"{given} has no .onnx, .tflite, .keras or .h5 file and is no SavedModel.")
    return found[0]
