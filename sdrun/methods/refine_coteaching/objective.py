"""Labels of the items whose loss is least for a peer."""

from torch import Tensor, nn
from torch.nn import functional as F

from sdrun.answers.answers import Answers
from sdrun.methods.refine_coteaching.settings import RefineCoteachingSettings
from sdrun.objectives.objective import Objective, StepOutput
from sdrun.ranks import OverRanks
from sdrun.schedules import linear
from sdrun.streams.batch import Batch


class Coteaching(Objective):
    """``CE(z_1, y)`` over the items that network 2 finds easiest, and the other way round, for ``num_steps`` steps.

    ``gather``: the rows of a tensor of all ranks.
    """

    def __init__(
        self,
        students: list[nn.Module],
        answers: Answers,
        settings: RefineCoteachingSettings,
        num_steps: int,
        gather: OverRanks,
    ) -> None:
        super().__init__()
        self.student, self.answers, self.pair = nn.ModuleList(students), answers, students
        self.teachers = []
        self.settings, self.num_steps, self.gather = settings, num_steps, gather

    @property
    def is_taught(self) -> bool:
        """They choose, and tell each other nothing."""
        return False

    @property
    def networks(self) -> dict[str, nn.Module]:
        first, second = self.pair
        return {"": first, "peer": second}

    def num_kept(self, num: int, step: int) -> int:
        """How many of a batch's ``num`` items are learned from."""
        s = self.settings
        rise = s.ramp_up * self.num_steps
        left_out = linear(0.0, s.forget, step / rise) if rise else s.forget
        return max(1, round((1 - left_out) * num))

    def forward(self, batch: Batch) -> StepOutput:
        smoothing = self.settings.label_smoothing
        view, label = batch.views[self.settings.view][0], batch.known["label"]
        answers = [student(view).float() for student in self.pair]
        shares = label if label.ndim == 2 else F.one_hot(label, answers[0].shape[1])
        smooth = (1 - smoothing) * shares + smoothing / shares.shape[1]
        kept = [self._kept(answer.detach(), label, batch.step) for answer in answers]
        terms = {
            name: self.answers.truth(answer, {"label": weight[:, None] * smooth})
            for name, answer, weight in zip(("ce", "peer_ce"), answers, kept[::-1], strict=True)
        }
        same = (answers[0].argmax(dim=1) == answers[1].argmax(dim=1)).float().mean()
        return StepOutput(terms, dict(zip(("", "peer"), answers, strict=True)), metrics={"agreement": same})

    def _kept(self, answer: Tensor, label: Tensor, step: int) -> Tensor:
        """A weight for each item [B]: above 0 where its loss is among the least of all ranks', 1 in the mean."""
        loss = F.cross_entropy(answer, label, reduction="none")
        everyone = self.gather(loss)
        num = self.num_kept(len(everyone), step)
        return (loss <= everyone.kthvalue(num).values).float() * (len(everyone) / num)
