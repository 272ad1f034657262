"""Bare PyTorch loops: what a careful person would write for one case, without a record, checkpoints or signals.

Data, views and networks are sdrun's; the training is written out.
"""

import time
from abc import ABC, abstractmethod
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdrun import models, tasks
from sdrun.data.splits import split
from sdrun.hardware import Hardware
from sdrun.methods.dino.head import PrototypeHead
from sdrun.methods.layerwise.ladder import Exit
from sdrun.models.backbone import Backbone, Network
from sdrun.schedules import half_cosine
from sdrun.settings import Precision, Settings
from sdrun.tasks.images.views.view import Normalise, View


class Bare(ABC):
    """What all loops share. A call trains ``optim.max_steps`` steps of ``samples`` images; returns images a second."""

    def __init__(self, settings: Settings, hardware: Hardware) -> None:
        data = settings.dataset
        splits = split(tasks.load(data), data)
        self.settings = settings
        self.samples = settings.optim.batch_size
        self.images, self.labels = torch.tensor(splits.train.fields["image"]), torch.tensor(splits.train.labels)
        self.num_classes, self.item = len(splits.classes), splits.item
        is_last = bool(hardware.settings.channels_last)
        self.memory_format = torch.channels_last if is_last else torch.contiguous_format
        normalise = Normalise(data.mean, data.std, hardware.device, is_last)
        self.views = {role: View(view, normalise) for role, view in data.views.items()}
        self.on = hardware.settings.precision is Precision.bf16

    def __call__(self) -> float:
        optim = self.settings.optim
        steps, batch = optim.max_steps or 0, optim.batch_size
        order, place = torch.randperm(len(self.labels)), 0
        self.begin(steps)
        started = time.perf_counter()
        for step in range(steps):
            if place + batch > len(order):
                order, place = torch.randperm(len(self.labels)), 0
            index = order[place : place + batch]
            place += batch
            self.train(step, steps, self.images[index], self.labels[index])
        return steps * self.samples / (time.perf_counter() - started)

    @abstractmethod
    def begin(self, steps: int) -> None:
        """Make networks and optimiser afresh; this is not timed."""

    @abstractmethod
    def train(self, step: int, steps: int, images: Tensor, labels: Tensor) -> None:
        """One step on the images [B, C, H, W], uint8, of a batch."""

    def backbone(self) -> Backbone:
        return models.build(self.settings.model, self.item)

    def classifier(self) -> Network:
        backbone = self.backbone()
        return Network(backbone, nn.Linear(backbone.num_features, self.num_classes))

    def seen(self, role: str, images: Tensor, num: int) -> Tensor:
        """``num`` views of each image, one after the other: [num * B, C, H, W]."""
        view = self.views[role]
        return view(images.repeat(num, 1, 1, 1), torch.rand(num * len(images), view.num_draws))

    def autocast(self) -> torch.autocast:
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.on)

    def groups(self, *modules: nn.Module) -> list[dict]:
        parameters = [p for module in modules for p in module.parameters()]
        decay = self.settings.optim.weight_decay
        return [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]


class Classifying(Bare):
    """SGD with a one-cycle schedule on the weak view; ``network`` makes what is trained, ``loss`` says on what."""

    @abstractmethod
    def network(self) -> nn.Module: ...

    @abstractmethod
    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Of images [B, C, H, W] and labels [B]."""

    def begin(self, steps: int) -> None:
        optim = self.settings.optim
        self.student = self.network().to(memory_format=self.memory_format).train()
        self.optimizer = torch.optim.SGD(self.groups(self.student), optim.lr, momentum=0.9, nesterov=True, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, optim.lr, steps, pct_start=optim.warmup, cycle_momentum=False
        )

    def train(self, step: int, steps: int, images: Tensor, labels: Tensor) -> None:
        with self.autocast():
            loss = self.loss(self.seen("weak", images, 1), labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()


class Plain(Classifying):
    """Cross-entropy, and with ``taught`` half of it the targets of a frozen network."""

    def __init__(self, settings: Settings, hardware: Hardware, taught: bool) -> None:
        super().__init__(settings, hardware)
        self.teacher = self.network().to(memory_format=self.memory_format).eval() if taught else None

    def network(self) -> nn.Module:
        return self.classifier()

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        if self.teacher is None:
            return F.cross_entropy(self.student(x).float(), y)
        with torch.no_grad():
            targets = self.teacher(x).float()
        logits = self.student(x).float()
        distance = F.kl_div(logits.log_softmax(1), targets.log_softmax(1), reduction="batchmean", log_target=True)
        return 0.5 * F.cross_entropy(logits, y) + 0.5 * distance


class MultiExit(Classifying):
    """Cross-entropy of an exit at each tap and of the deepest one."""

    def network(self) -> nn.Module:
        backbone = self.backbone()
        numbers = range(len(backbone.tap_features) - 1)
        exits = nn.ModuleList(Exit(backbone, number, self.num_classes) for number in numbers)
        return nn.ModuleList([backbone, exits, nn.Linear(backbone.num_features, self.num_classes)])

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        backbone, exits, head = self.student
        final, taps = backbone(x)
        logits = [head(final), *(exit(tap) for exit, tap in zip(exits, taps.values(), strict=False))]
        return sum(F.cross_entropy(z.float(), y) for z in logits)


class SemiSupervised(Classifying):
    """At each step other images beside the labelled ones: ``unlabelled``."""

    def network(self) -> nn.Module:
        return self.classifier()

    def begin(self, steps: int) -> None:
        super().begin(steps)
        self.taken = torch.randperm(len(self.images))
        self.samples = (1 + self.settings.method.unlabelled_ratio) * self.settings.optim.batch_size

    def train(self, step: int, steps: int, images: Tensor, labels: Tensor) -> None:
        num = self.settings.method.unlabelled_ratio * len(images)
        start = step * num % (len(self.taken) - num)
        self.unlabelled = self.images[self.taken[start : start + num]]
        super().train(step, steps, images, labels)


class FixMatch(SemiSupervised):
    """Pseudo-labels of confident images on strong views; labelled, weak and strong in one forward, and an average."""

    def begin(self, steps: int) -> None:
        super().begin(steps)
        self.average = deepcopy(self.student).eval().requires_grad_(False)

    def train(self, step: int, steps: int, images: Tensor, labels: Tensor) -> None:
        super().train(step, steps, images, labels)
        pairs = zip(self.average.state_dict().values(), self.student.state_dict().values(), strict=True)
        floats = [(a, b) for a, b in pairs if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 0.01)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        weak, strong = self.seen("weak", self.unlabelled, 1), self.seen("strong", self.unlabelled, 1)
        logits = self.student(torch.cat([x, weak, strong])).float()
        labelled, teacher, student = logits.split([len(x), len(weak), len(strong)])
        top, target = teacher.detach().softmax(1).max(1)
        each = F.cross_entropy(student, target, reduction="none")
        return F.cross_entropy(labelled, y) + (each * (top >= 0.95)).mean()


class Compression(SemiSupervised):
    """Labels on some images, and on these and others what a larger frozen network says of the same views."""

    def begin(self, steps: int) -> None:
        super().begin(steps)
        backbone = models.build(self.settings.method.teacher_model, self.item)
        teacher = Network(backbone, nn.Linear(backbone.num_features, self.num_classes))
        self.teacher = teacher.to(memory_format=self.memory_format).eval().requires_grad_(False)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        method = self.settings.method
        every = torch.cat([x, self.seen("weak", self.unlabelled, 1)])
        with torch.no_grad():
            targets = self.teacher(every).float() / method.temperature
        logits = self.student(every).float()
        soft = (logits / method.temperature).log_softmax(1)
        distance = F.kl_div(soft, targets.log_softmax(1), reduction="batchmean", log_target=True)
        truth = F.cross_entropy(logits[: len(x)], y)
        return (1 - method.alpha) * truth + method.alpha * method.temperature**2 * distance


class DINO(Bare):
    """Multi-crop DINO with a running centre."""

    def begin(self, steps: int) -> None:
        method, optim = self.settings.method, self.settings.optim
        self.net = self.backbone().to(memory_format=self.memory_format).train()
        self.head = PrototypeHead(self.net.num_features, method.hidden_dim, method.bottleneck_dim, method.out_dim)
        self.student = nn.ModuleList([self.net, self.head])
        self.teacher = deepcopy(self.student).eval().requires_grad_(False)
        self.centre = torch.zeros(method.out_dim)
        self.optimizer = torch.optim.AdamW(self.groups(self.student), optim.lr, fused=True)

    def train(self, step: int, steps: int, images: Tensor, labels: Tensor) -> None:
        method, optim = self.settings.method, self.settings.optim
        rise = half_cosine(1, 0, step / steps)
        for group in self.optimizer.param_groups:
            group["lr"] = optim.lr * rise
            if group["weight_decay"]:
                group["weight_decay"] = half_cosine(optim.weight_decay, optim.weight_decay_end or 0, step / steps)
        self.loss(images).backward()
        for p in self.student.parameters():
            if p.grad is not None:
                p.grad.mul_((optim.clip_each / (p.grad.norm() + 1e-6)).clamp(max=1))
        self.optimizer.step()
        self.optimizer.zero_grad()
        momentum = half_cosine(method.momentum, 1, step / steps)
        tensors = zip(self.teacher.state_dict().values(), self.student.state_dict().values(), strict=True)
        pairs = [(a, b) for a, b in tensors if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in pairs], [b for _, b in pairs], 1 - momentum)

    def loss(self, images: Tensor) -> Tensor:
        method, size = self.settings.method, len(images)
        whole = self.seen("global", images, method.global_crops)
        parts = self.seen("local", images, method.local_crops)
        with self.autocast():
            with torch.no_grad():
                net, head = self.teacher
                teacher = head(net(whole).final).float()
                targets = ((teacher - self.centre) / method.teacher_temperature).softmax(1).split(size)
                self.centre.lerp_(teacher.mean(dim=0), 0.1)
            features = torch.cat([self.net(whole).final, self.net(parts).final])
            student = (self.head(features).float() / method.student_temperature).log_softmax(1).split(size)
            losses = [-(t * s).sum(1).mean() for i, t in enumerate(targets) for v, s in enumerate(student) if v != i]
            return sum(losses) / len(losses)
