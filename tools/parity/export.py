"""Exports small models from PyTorch with one batch, its loss, every gradient and the running statistics after the step.

    /usr/bin/python3 tools/parity/export.py test/fixtures/parity

test/unit/model/parity.test.ts compares what Veilsum computes on the same files, without Python. Written for PyTorch 1.13 on the CPU;
tensors in the JSON are base64 of little-endian float32 (int64 for token ids and class labels).
"""

import base64
import json
import pathlib
import sys
import warnings

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def mlp(*widths, act=nn.ReLU, dropout=None):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.Linear(a, b))
        if i < len(widths) - 2:
            layers.append(act())
            if dropout is not None:
                layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 4, 3, padding=1)
        self.c2 = nn.Conv2d(4, 6, 3, padding=1)
        self.f1 = nn.Linear(6 * 2 * 2, 8)
        self.f2 = nn.Linear(8, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.f2(F.relu(self.f1(torch.flatten(x, 1))))


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.c1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.b1 = nn.BatchNorm2d(o)
        self.c2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.b2 = nn.BatchNorm2d(o)
        self.short = nn.Identity()
        if stride != 1 or i != o:
            self.short = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))) + self.short(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3, 1, 1, bias=False)
        self.b = nn.BatchNorm2d(4)
        self.l = nn.Sequential(Block(4, 4, 1), Block(4, 8, 2))
        self.p = nn.AdaptiveAvgPool2d(1)
        self.f = nn.Linear(8, 3)

    def forward(self, x):
        return self.f(torch.flatten(self.p(self.l(F.relu(self.b(self.c(x))))), 1))


class GroupNormNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 8, 3, padding=1)
        self.g1 = nn.GroupNorm(4, 8)
        self.c2 = nn.Conv2d(8, 12, 3, stride=2, padding=1, groups=2)
        self.g2 = nn.GroupNorm(3, 12)
        self.f = nn.Linear(12, 3)

    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.g1(self.c1(x))), 2)
        return self.f(F.silu(self.g2(self.c2(x))).mean((2, 3)))


class Ecg(nn.Module):
    def __init__(self):
        super().__init__()
        self.n = nn.Sequential(
            nn.Conv1d(3, 6, 9, stride=2, padding=4, bias=False),
            nn.BatchNorm1d(6),
            nn.ReLU(),
            nn.MaxPool1d(3, 2, 1),
            nn.Conv1d(6, 8, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(8, 8, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(8, 4),
        )

    def forward(self, x):
        return self.n(x)


class Recurrent(nn.Module):
    def __init__(self, kind, both=False, layers=1):
        super().__init__()
        self.r = getattr(nn, kind)(3, 5, num_layers=layers, batch_first=True, bidirectional=both)
        self.f = nn.Linear(5 * (2 if both else 1), 2)

    def forward(self, x):
        y, _ = self.r(x)
        return self.f(y.mean(1) if self.r.bidirectional else y[:, -1])


class Transformer(nn.Module):
    def __init__(self, words=13, time=6, width=8, heads=2, layers=2):
        super().__init__()
        self.e = nn.Embedding(words, width)
        self.pe = nn.Parameter(torch.randn(1, time, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True)
        self.t = nn.TransformerEncoder(layer, layers)
        self.n = nn.LayerNorm(width)
        self.f = nn.Linear(width, 2)

    def forward(self, x):
        return self.f(self.n(self.t(self.e(x) + self.pe)).mean(1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        def conv(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        self.down1, self.down2, self.down3 = conv(1, 4), conv(4, 6), conv(6, 8)
        self.up1 = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.mix1 = conv(12, 6)
        self.mix2 = conv(10, 4)
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.down3(F.max_pool2d(b, 2))
        d = self.mix1(torch.cat([self.up1(c), b], 1))
        up = F.interpolate(d, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.last(self.mix2(torch.cat([up, a], 1)))


CE, BCE, MSE = "softmax-cross-entropy", "binary-cross-entropy", "squared-error"
FAMILIES = {
    "logistic-regression": (lambda: mlp(9, 1), (12, 9), BCE, None),
    "mlp-relu": (lambda: mlp(9, 12, 7, 3), (12, 9), CE, 3),
    "mlp-gelu": (lambda: mlp(9, 12, 7, 2, act=nn.GELU), (12, 9), MSE, None),
    "mlp-dropout": (lambda: mlp(9, 12, 7, 1, act=nn.Tanh, dropout=0.4), (12, 9), BCE, None),
    "cnn": (Cnn, (4, 1, 8, 8), CE, 3),
    "resnet": (ResNet, (6, 3, 8, 8), CE, 3),
    "group-norm": (GroupNormNet, (4, 3, 8, 8), CE, 3),
    "ecg": (Ecg, (6, 3, 64), CE, 4),
    "lstm": (lambda: Recurrent("LSTM"), (4, 7, 3), CE, 2),
    "gru": (lambda: Recurrent("GRU", layers=2), (4, 7, 3), CE, 2),
    "bidirectional-lstm": (lambda: Recurrent("LSTM", True), (4, 6, 3), CE, 2),
    "transformer": (Transformer, ("tokens", 13, (5, 6)), CE, 2),
    "u-net": (UNet, (3, 1, 8, 8), BCE, None),
}


def text(tensor):
    array = tensor.detach().contiguous().numpy()
    kind = "<i8" if array.dtype == numpy.int64 else "<f4"
    return base64.b64encode(array.astype(kind).tobytes()).decode()


def entry(tensor):
    return {"shape": list(tensor.shape), "data": text(tensor)}


def loss_of(kind, output, target):
    if kind == CE:
        return F.cross_entropy(output, target)
    if kind == BCE:
        return F.binary_cross_entropy_with_logits(output, target)
    return F.mse_loss(output, target)


def export(name, seed, folder):
    make, size, kind, classes = FAMILIES[name]
    torch.manual_seed(seed)
    model = make().train()
    for module in model.modules():
        # Fresh scales of 1 and biases of 0 would hide a wrong rule.
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    x = torch.randint(0, size[1], size[2]) if size[0] == "tokens" else torch.randn(*size)
    path = folder / f"{name}.onnx"
    torch.onnx.export(
        model, x, str(path), training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, opset_version=17,
        input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
    )
    # Tracing ran the model once, which moved its running statistics; the file holds the moved ones, and so does the model here.

    masks = []
    for module in model.modules():
        if isinstance(module, nn.Dropout) and module.p > 0:
            module.register_forward_hook(lambda m, i, o: masks.append((o / i[0]).detach()))
    output = model(x)
    y = torch.randint(0, classes, (output.shape[0],)) if kind == CE else torch.randn_like(output)
    y = (y > 0).float() if kind == BCE else y
    loss = loss_of(kind, output, y)
    loss.backward()
    result = {
        "family": name, "loss": kind, "x": entry(x), "y": entry(y), "value": loss.item(),
        "gradients": {key: entry(p.grad) for key, p in model.named_parameters()},
        "masks": [entry(mask) for mask in masks],
        "statistics": {key: entry(b) for key, b in model.named_buffers() if "running" in key},
    }
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"{name:22} {sum(p.numel() for p in model.parameters()):6d} parameters  loss {loss.item():.6f}")


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for number, family in enumerate(FAMILIES):
        export(family, number + 1, target)
