"""What stands in conf/ composes, and what cannot be used is refused by name."""

import itertools
import re
from dataclasses import fields

import pytest
from omegaconf import OmegaConf

from further import method
from helpers import compose, images, settings
from sdrun import methods
from sdrun.choices import TEACHER_MODEL, conf_folder
from sdrun.configuration import settings_from
from sdrun.errors import InputError
from sdrun.keys import SYNONYMS, unknown
from sdrun.settings import Settings, words

GROUPS = ("method", "model", "dataset", "optim", "hardware")
CHOICES = [
    f"{group}={path.stem}"
    for group in (*GROUPS, "experiment")
    for path in sorted((conf_folder() / group).glob("*.yaml"))
]


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_composes_and_is_typed(choice):
    group, _, name = choice.partition("=")
    asked = method(name) if group == "method" and name in methods.names() else (choice,)
    assert isinstance(settings(*asked), Settings)


def test_every_method_has_a_choice_and_every_choice_is_of_a_method():
    choices = {path.stem for path in (conf_folder() / "method").glob("*.yaml")}
    assert choices >= set(methods.names())
    others = {name: settings(f"method={name}").method.name for name in choices - set(methods.names())}
    families = {
        name: next((m for m in ("layerwise", "online", "continual", "refine") if name.startswith(m)), "consistency")
        for name in others
    }
    assert families == others


@pytest.mark.parametrize(
    ("method", "preset", "choice"),
    [
        ("layerwise", "byot", "layerwise_byot"),
        ("layerwise", "default", "layerwise"),
        ("consistency", "plain", "consistency"),
        ("consistency", "fixmatch", "fixmatch"),
    ],
)
def test_a_former_preset_is_refused_by_the_choice_that_has_its_values(method, preset, choice, tmp_path):
    message = f"^method.preset: is no setting any more; use method={choice}$"
    with pytest.raises(InputError, match=message):
        settings(f"method={method}", f"method.preset={preset}")
    (tmp_path / "experiment").mkdir()
    text = f"# @package _global_\ndefaults:\n  - override /method: {method}\nmethod:\n  preset: {preset}\n"
    (tmp_path / "experiment/mine.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        settings("experiment=mine", f"hydra.searchpath=[file://{tmp_path}]")
    config = OmegaConf.create(OmegaConf.to_yaml(compose(f"method={method}"), resolve=True))  # as a run keeps it
    config.method.preset = preset
    with pytest.raises(InputError, match=message):
        _typed(config)


def test_no_file_asks_for_code():
    files = list(conf_folder().rglob("*.yaml"))
    assert len(files) > 15
    assert not [path for path in files if "_target_" in path.read_text()]


def test_every_knob_has_a_comment():
    for path in conf_folder().rglob("*.yaml"):
        text = path.read_text()
        assert text.startswith("#") or path.parent.name == "help", path


def test_an_experiments_values_win_over_the_groups_and_lose_to_the_command_line(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text("# @package _global_\nseed: 7\noptim:\n  lr: 0.3\n  epochs: 2\n")
    search = f"hydra.searchpath=[file://{tmp_path}]"
    assert settings("experiment=mine", search).optim.lr == 0.3
    assert settings("experiment=mine", search).optim.epochs == 2
    chosen = settings("experiment=mine", search, "optim.lr=0.4")
    assert (chosen.optim.lr, chosen.seed) == (0.4, 7)


def test_resolved_settings_compose_to_themselves():
    config = compose("method=born_again", "dataset.label_noise=0.2", "seed=3")
    again = OmegaConf.create(OmegaConf.to_yaml(config, resolve=True))
    assert settings("method=born_again", "dataset.label_noise=0.2", "seed=3") == _typed(again)


def _typed(config):
    from sdrun.configuration import settings_from

    return settings_from(config)


BAD = {
    ("generation=3",): "generation: unknown key; did you mean generations?",
    ("+generation=3",): "generation: unknown key; did you mean generations?",
    ("optim.learning_rate=1",): "optim.learning_rate: unknown key; did you mean optim.lr?",
    ("++model.lr=1",): "model.lr: unknown key; did you mean optim.lr?",
    ("+dataset.views.wek.flip=true",): "dataset.views: is 'wek', but the views are weak, strong, global, local",
    ("dataset.views.weak.area=[0.5,1]",): "dataset.views.weak.crop: has no effect with size, area or blur; set it to 0",
    ("dataset.views.weak.area=[0.5]",): "dataset.views.weak.area: needs a lower and an upper end, such as [0.2,0.5]",
    ("dataset.views.weak.area=[0,1]",): "dataset.views.weak.area: needs shares above 0 and at most 1",
    ("dataset.views.weak.blur_sigma=[0,1]",): "dataset.views.weak.blur_sigma: must be above 0",
    ("dataset.views.strong.cutout=2",): "dataset.views.strong.cutout: must be between 0 and 1",
    ("dataset.views.global.area=[0.5]",): "dataset.views.global.area: needs a lower and an upper end",
    ("dataset.views=null",): "dataset.views: needs the views by role",
    (
        "method=supervised",
        "method.view=hard",
    ): "method.view: is 'hard', but the views are clean, weak, strong, global, local",
    ("optim.clip_each=0",): "optim.clip_each: must be above 0",
    ("optim.weight_decay_end=-1",): "optim.weight_decay_end: must be at least 0",
    ("method=mean_teacher", "method.momentum=2"): "method.momentum: must be between 0 and 1",
    ("method=mean_teacher", "method.unlabelled_ratio=0"): "method.unlabelled_ratio: must be at least 1",
    ("dataset.views.weak.flp=true",): "dataset.views.weak.flp: unknown key; did you mean dataset.views.weak.flip?",
    ("modle=cnn",): "modle: unknown key; did you mean model?",
    ("method.generations=2",): "method.generations: unknown key; did you mean generations?",
    ("method=supervised", "generations=3"): "generations: has no effect with method=supervised",
    ("method=supervised", "method.alpha=0.3"): "method.alpha: has no effect with method=supervised",
    ("optim=adamw", "optim.momentum=0.5"): "optim.momentum: has no effect with optim=adamw",
    (
        "model=cnn",
        "model.heads=2",
    ): "model.heads: has no effect with a cnn model; it is a setting of a transformer model and a vit model",
    ("dataset.label_noise_kind=pair",): "dataset.label_noise_kind: has no effect",
    ("dataset.download=true",): "dataset.root: has no effect with the embedded digits",
    ("optim.lr=fast",): "optim.lr: Value 'fast' of type 'str' could not be converted to Float",
    ("generations=2.5",): "generations: Value '2.5'",
    ("optim.select=worst",): "optim.select: Invalid value 'worst', expected one of [last, best]",
    ("model.widths=3",): "model.widths: needs a list, such as [1,2]",
    ("optim.lr=null",): "optim.lr: Incompatible value 'None'",
    ("~optim.lr",): "optim.lr",
    ("method.temperature=-1",): "method.temperature: must be above 0, but is -1",
    ("method.alpha=nan",): "method.alpha: must be a finite number, but is nan",
    ("method.alpha=-inf",): "method.alpha: must be a finite number, but is -inf",
    ("method=ps_kd", "method.alpha=1.5"): "method.alpha: must be between 0 and 1, but is 1.5",
    ("method=layerwise", "method.alpha=-1"): "method.alpha: must be at least 0, but is -1",
    ("generations=0",): "generations: must be at least 1, but is 0",
    ("optim.accumulate=3",): "optim.accumulate: must divide optim.batch_size=128",
    ("model=vit_tiny", "model.heads=5"): "model.heads: must divide model.width=192",
    ("method=born",): "method=born: no such choice; there are: born_again, compress, consistency, continual,",
    ("optim=adam",): "optim=adam: no such choice; did you mean adamw?",
    ("optim.name=adam",): "optim.name: is 'adam', but only sgd, adamw are known",
    ("seed=1,2",): "Ambiguous value for argument 'seed=1,2'",
    ("optim.lr=[1,2",): "optim.lr=[1,2: brackets and quotes must close as they open; a list is written as [1,2]",
    ("method==x",): "method==x: has more than one =; write method=x",
    ("method=a", "b"): "b: is no KEY=VALUE; a value with a space is quoted, for the shell too: 'KEY=\"A B\"'",
    ("a b=1",): "a b=1: 'a b' is no key, such as optim.lr",
    ("=3",): "=3: has no key before the =; write no space beside it",
    ("seed=choice()",): "seed=choice(): ValueError while evaluating 'choice()': empty choice is not legal",
    ("optim.lr=1)",): "optim.lr=1): cannot be read\nQuote what is one text, for the shell too: 'optim.lr=\"1)\"'",
    ("method=null",): "Config group override must be a string",
    ("optim.lr=inf",): "optim.lr: must be a finite number, but is inf",
    ("optim.lr=1e400",): "optim.lr: must be a finite number, but is inf",
    ("optim.lr=1" + 400 * "0",): "optim.lr: must be below 2^63 in size, but is 1000",
    ("checkpoint_seconds=nan",): "checkpoint_seconds: must be a finite number, but is nan",
    ("dataset.mean=[nan]",): "dataset.mean: must be a finite number, but is nan",
    ("dataset.views.weak.area=[0.5,inf]",): "dataset.views.weak.area: must be a finite number, but is inf",
    ("method=layerwise", "method.exit_policy.budget=inf"): "method.exit_policy.budget: must be a finite number",
    ("optim.lr='inf'",): "optim.lr: must be a finite number, but is inf",
    ("seed=9223372036854775808",): "seed: must be below 2^63 in size, but is 9223372036854775808",
    ("dataset.seed=9223372036854775808",): "dataset.seed: must be below 2^63 in size, but is 9223372036854775808",
    ("model.widths=[99999999999999999999]",): "model.widths: must be below 2^63 in size, but is 99999999999999999999",
    ("generations=9223372036854775808",): "generations: must be below 2^63 in size, but is 9223372036854775808",
    ("log_every='99999999999999999999'",): "log_every: must be below 2^63 in size, but is 99999999999999999999",
    ("seed=-1",): "seed: must be at least 0, but is -1",
    ("dataset.seed=-1",): "dataset.seed: must be at least 0, but is -1",
    ("optim.epochs=true",): "optim.epochs: Value 'True' of type 'bool' could not be converted to Integer",
    ("optim.lr=true",): "optim.lr: Value 'True' of type 'bool' could not be converted to Float",
    ("seed=1.0",): "seed: Value '1.0' of type 'float' could not be converted to Integer",
    ("hardware.compile=1",): "hardware.compile: must be true or false, but is 1",
    ("dataset.views.weak.flip=1",): "dataset.views.weak.flip: must be true or false, but is 1",
    ("dataset.mean=[[1]]",): "dataset.mean: needs a flat list, such as [1,2]",
    ("model.widths=[[8]]",): "model.widths: needs a flat list, such as [1,2]",
    ("model.widths=[{a:1}]",): "model.widths: needs a flat list, such as [1,2]",
    ("dataset.mean=[null]",): "dataset.mean[0]: Invalid type assigned",
}


@pytest.mark.parametrize(("overrides", "message"), BAD.items())
def test_bad_settings_are_refused_in_few_lines(overrides, message):
    with pytest.raises(InputError) as error:
        settings_from(compose(*overrides))
    assert str(error.value).startswith(message)
    assert str(error.value).count("\n") < 9


def test_the_largest_numbers_that_fit_are_settings():
    chosen = settings("seed=9223372036854775807", "checkpoint_seconds=1e300", "hardware.compile='false'")
    assert (chosen.seed, chosen.checkpoint_seconds, chosen.hardware.compile) == (2**63 - 1, 1e300, False)


MEANT = {
    "lr": "optim.lr",
    "learning_rate": "optim.lr",
    "bs": "optim.batch_size",
    "batch_size": "optim.batch_size",
    "n_labels": "dataset.num_labels",
    "labels": "dataset.num_labels",
    "steps": "optim.max_steps",
    "gpu": "hardware.device",
    "workers": "hardware.threads",
    "temperature": "method.temperature",
    "arch": "model",
    "data": "dataset",
    "momentum": "optim.momentum",  # of the two that end so, the one of this method's settings and optimiser's
    "method.lr": "optim.lr",
    "optm.lr": "optim.lr",
    "optim.learning_rat": "optim.lr",
    "model.widht": "model.width",
    "dataset.views.strong.flp": "dataset.views.strong.flip",
}


def test_what_was_meant_by_an_unknown_key():
    config = compose()
    for key, meant in MEANT.items():
        assert unknown(key, config, []) == f"{key}: unknown key; did you mean {meant}?"
    assert unknown("seed.x.y.zzzz", config, []) == "seed.x.y.zzzz: unknown key; see: sdrun --cfg job"


def test_synonyms_are_of_settings_and_are_none_themselves():
    keys = dict(words.leaves(OmegaConf.to_container(compose())))
    assert {*SYNONYMS.values()} - {"hydra.run.dir", *GROUPS} <= keys.keys()
    assert SYNONYMS.keys().isdisjoint(key.rpartition(".")[2] for key in keys)


UNFIT = {
    ("dataset.val_size=1437",): "dataset.val_size: leaves nothing of 1437 training items",
    ("dataset.train_size=1400",): "dataset.train_size: must be between 2 and 1257",
    ("optim.batch_size=1",): "optim.batch_size: must be at least 2",
    ("dataset.val_size=1436",): "dataset.val_size: leaves 1 training items, fewer than 2",
    ("dataset.num_labels=1",): "dataset.num_labels: must be between 2 and 1257",
    ("dataset.train_size=100", "dataset.num_labels=101"): "dataset.num_labels: must be between 2 and 100",
    ("dataset.views.weak.grey=0.5",): "dataset.views.weak.grey: has no effect on grey images",
    (
        "method=supervised",
        "method.view=strong",
        "dataset.views.strong.hue=0.1",
    ): "dataset.views.strong.hue: has no effect",
    (
        "~dataset.views.strong",
        "method=supervised",
        "method.view=strong",
    ): "dataset.views.strong: is missing, and method=",
    ("dataset.mean=[0.5,0.5,0.5]",): "dataset.mean: needs 1 numbers",
    ("dataset.views.weak.hue=0.1",): "dataset.views.weak.hue: has no effect on grey images",
    ("dataset.views.weak.crop=9",): "dataset.views.weak.crop: must be between 0 and 4",
    ("model=vit_tiny", "model.patch_size=3"): "model.patch_size: must divide the image size 8",
    ("model.widths=[4,4,4,4]",): "model.widths: has more stages",
    ("dataset.val_size=0", "optim.select=best"): "optim.select=best and optim.early_stop need a validation split",
}


@pytest.mark.parametrize(("overrides", "message"), UNFIT.items())
def test_settings_that_do_not_fit_the_data_are_refused(overrides, message):
    with pytest.raises(InputError, match=re.escape(message)):
        settings(*overrides).check_data(images(1, 8), 1437, 1)


def test_ranks_that_do_not_divide_the_batch_are_refused():
    with pytest.raises(InputError, match=r"optim.batch_size: must be a multiple of 3: 3 ranks"):
        settings().check_data(images(1, 8), 1437, 3)


def test_malformed_yaml_names_file_and_line(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/broken.yaml").write_text("seed: [1\nlr: 2\n")
    with pytest.raises(InputError, match=r"broken.yaml\", line 1") as error:
        settings("experiment=broken", f"hydra.searchpath=[file://{tmp_path}]")
    assert str(error.value).count("\n") < 9


@pytest.mark.parametrize("name", methods.names())
def test_settings_of_a_method_have_no_hidden_defaults(name):
    from dataclasses import MISSING

    kinds = itertools.chain(fields(Settings), fields(methods.settings_class(name)))
    hidden = [one.name for one in kinds if one.default is not MISSING or one.default_factory is not MISSING]
    assert hidden == [TEACHER_MODEL] * (name == "compress"), "a group of which none is chosen gives nothing"
