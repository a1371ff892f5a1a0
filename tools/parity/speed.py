"""Models of ordinary size from PyTorch, and how long PyTorch takes for a step of each: the other side of `npm run bench`.

    /usr/bin/python3 tools/parity/speed.py FOLDER

exports every family to FOLDER and prints one line of JSON that lists them. Then each line `FAMILY STEPS` on standard input trains that many
steps (forward, backward, SGD with momentum, one thread) and is answered by the seconds they took. Ends with its input.
"""

import json
import pathlib
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from export import BCE, CE, Block, Transformer, loss_of, mlp


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, padding=1)
        self.f1 = nn.Linear(32 * 7 * 7, 64)
        self.f2 = nn.Linear(64, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.f2(F.relu(self.f1(torch.flatten(x, 1))))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.b = nn.BatchNorm2d(16)
        self.l = nn.Sequential(Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2))
        self.f = nn.Linear(64, 4)

    def forward(self, x):
        return self.f(F.adaptive_avg_pool2d(self.l(F.relu(self.b(self.c(x)))), 1).flatten(1))


class GroupNormNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 16, 3, padding=1)
        self.g1 = nn.GroupNorm(4, 16)
        self.c2 = nn.Conv2d(16, 32, 3, stride=2, padding=1, groups=4)
        self.g2 = nn.GroupNorm(8, 32)
        self.f = nn.Linear(32, 3)

    def forward(self, x):
        x = F.avg_pool2d(F.silu(self.g1(self.c1(x))), 2)
        return self.f(F.silu(self.g2(self.c2(x))).mean((2, 3)))


class Ecg(nn.Module):
    def __init__(self):
        super().__init__()
        self.n = nn.Sequential(
            nn.Conv1d(12, 32, 15, stride=2, padding=7, bias=False), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(3, 2, 1),
            nn.Conv1d(32, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm1d(64), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(64, 64, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 5),
        )

    def forward(self, x):
        return self.n(x)


class Recurrent(nn.Module):
    def __init__(self, kind, both=False):
        super().__init__()
        self.r = getattr(nn, kind)(17, 64, batch_first=True, bidirectional=both)
        self.f = nn.Linear(128 if both else 64, 2)

    def forward(self, x):
        y, _ = self.r(x)
        return self.f(y.mean(1) if self.r.bidirectional else y[:, -1])


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        def conv(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        self.down1, self.down2, self.down3 = conv(1, 8), conv(8, 16), conv(16, 32)
        self.up1 = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.mix1, self.mix2 = conv(32, 16), conv(24, 8)
        self.last = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.down3(F.max_pool2d(b, 2))
        d = self.mix1(torch.cat([self.up1(c), b], 1))
        up = F.interpolate(d, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.last(self.mix2(torch.cat([up, a], 1))).mean((2, 3))


# Name: model, batch, shape of a record, loss, classes, words.
FAMILIES = {
    "logistic regression": (lambda: mlp(30, 1), 32, (30,), BCE, 0, 0),
    "MLP, 4 k parameters": (lambda: mlp(32, 64, 32, 2), 32, (32,), CE, 2, 0),
    "MLP, 1 M": (lambda: mlp(512, 1024, 512, 10), 64, (512,), CE, 10, 0),
    "MLP, 9 M": (lambda: mlp(2048, 3072, 1024, 10), 64, (2048,), CE, 10, 0),
    "CNN, 1x28x28": (Cnn, 32, (1, 28, 28), CE, 2, 0),
    "ResNet-8, 3x28x28": (ResNet, 32, (3, 28, 28), CE, 4, 0),
    "GroupNorm net, 3x28x28": (GroupNormNet, 16, (3, 28, 28), CE, 3, 0),
    "ECG, 12x1000": (Ecg, 32, (12, 1000), CE, 5, 0),
    "LSTM, 48 steps of 17": (lambda: Recurrent("LSTM"), 32, (48, 17), CE, 2, 0),
    "GRU, 48 steps of 17": (lambda: Recurrent("GRU"), 32, (48, 17), CE, 2, 0),
    "bidirectional LSTM": (lambda: Recurrent("LSTM", True), 32, (48, 17), CE, 2, 0),
    "transformer, 32 words": (lambda: Transformer(100, 32, 64, 4, 2), 16, (32,), CE, 2, 100),
    "U-Net, 1x32x32": (UNet, 16, (1, 32, 32), BCE, 0, 0),
}


def main(folder):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    ready, listed = {}, []
    for number, (name, (make, batch, shape, kind, classes, words)) in enumerate(FAMILIES.items()):
        model = make().train()
        size = (batch, *shape)
        x = torch.randint(0, words, size) if words > 0 else torch.randn(*size)
        path = folder / f"{number}.onnx"
        torch.onnx.export(
            model, x, str(path), training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, opset_version=17,
            input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
        )
        y = torch.randint(0, classes, (batch,)) if classes > 0 else torch.randint(0, 2, (batch, 1)).float()
        ready[name] = (model, torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9), x, y, kind)
        listed.append({
            "name": name, "file": str(path), "batch": batch, "columns": int(torch.tensor(shape).prod()), "loss": kind,
            "classes": classes, "words": words, "parameters": sum(p.numel() for p in model.parameters()),
        })
    print(json.dumps({"torch": torch.__version__, "families": listed}), flush=True)
    for line in sys.stdin:
        name, steps = line.rsplit(" ", 1)
        model, optimiser, x, y, kind = ready[name]
        begun = time.perf_counter()
        for _ in range(int(steps)):
            optimiser.zero_grad(set_to_none=True)
            loss_of(kind, model(x), y).backward()
            optimiser.step()
        print(time.perf_counter() - begun, flush=True)


if __name__ == "__main__":
    import warnings

    warnings.filterwarnings("ignore")
    main(pathlib.Path(sys.argv[1]))
