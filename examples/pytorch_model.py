"""A small PyTorch network, trained here to tell dark from light pictures, as a stack.

Run in any folder::

    pip install torch onnx
    python pytorch_model.py shades.onnx
    catdog-stream import shades.onnx --classes dark,light --preset torchvision --output shades
"""

import sys

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 8, kernel_size=7, stride=4),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(8, 2),
)
mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for _ in range(100):
    shades = torch.rand(16, 1, 1, 1)
    pictures = (shades + 0.1 * torch.randn(16, 3, 64, 64)).clamp(0, 1)
    scores = model((pictures - mean) / deviation)
    loss = nn.functional.cross_entropy(scores, (shades.flatten() > 0.5).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

model.eval()
torch.onnx.export(
    model,
    torch.zeros(1, 3, 64, 64),
    sys.argv[1],
    input_names=["picture"],
    output_names=["scores"],
    dynamic_axes={"picture": [0], "scores": [0]},
)
