"""MAViL's second stage: a teacher that never moves, is saved, and is refused where it does not fit."""

import math
from dataclasses import replace

import pytest
import torch

from seehear.errors import UsageError
from seehear.methods.avsiam import AVSiam
from seehear.methods.mavil import Mavil
from tests.methods.mavil_toys import INPUTS, RANDOMNESS, STUDENT, TINY, make_batch, make_model, make_patches


def test_the_teacher_stays_as_it_is_in_training_and_reads_whole_clips() -> None:
    model, batch = make_model(STUDENT).train(), make_batch()
    assert model.training
    assert not any(module.training for module in model.teacher.modules())
    before = {name: tensor.clone() for name, tensor in model.teacher.state_dict().items()}
    _, patches = make_patches(model, batch)
    targets = model.targets(patches)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    model(batch, RANDOMNESS)["loss"].backward()
    optimizer.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.teacher.state_dict().items())
    for modality, wanted in model.targets(patches).items():
        assert wanted.shape == (4, math.prod(model.grids[modality]), 16)
        assert not wanted.requires_grad
        assert torch.equal(wanted, targets[modality])
        torch.testing.assert_close(wanted.mean(dim=-1), torch.zeros(wanted.shape[:2]), rtol=0, atol=1e-5)
    parameters = [p for group in model.parameter_groups("joint") for p in group["params"]]
    assert not {id(p) for p in model.teacher.parameters()} & {id(p) for p in parameters}


def test_the_joint_teacher_is_informed_by_the_other_modality_and_the_single_one_is_not() -> None:
    for kind, informed in (("joint", True), ("random", True), ("single", False)):
        model = make_model(replace(STUDENT, teacher=kind))
        _, patches = make_patches(model, make_batch())
        targets = model.targets(patches)["audio"]
        changed = model.targets(patches | {"image": patches["image"].flip(0)})["audio"]
        assert torch.equal(targets, changed) != informed


def test_start_from_copies_teacher_and_where_asked_for_the_student() -> None:
    first = make_model(TINY, seed=5)
    fresh = Mavil(STUDENT)
    untouched = fresh.encoder.trunk.first["audio"].clone()
    fresh.start_from(first)
    assert torch.equal(fresh.encoder.trunk.first["audio"], untouched)
    assert _equal(fresh.teacher, first.encoder)
    fresh.start_from(first, student=True)
    assert _equal(fresh.encoder, first.encoder)
    assert _equal(fresh.projections, first.projections)
    control = Mavil(replace(STUDENT, teacher="random"))
    drawn = control.teacher.trunk.first["audio"].clone()
    control.start_from(first, student=True)
    assert torch.equal(control.teacher.trunk.first["audio"], drawn)
    assert _equal(control.encoder, first.encoder)
    again = Mavil(STUDENT)
    again.start_from(fresh)  # a student becomes a teacher
    assert _equal(again.teacher, fresh.encoder)


def _equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())


def test_a_saved_student_brings_its_teacher() -> None:
    model, loaded = make_model(STUDENT), Mavil(STUDENT)
    loaded.load_state_dict(model.state_dict())
    torch.testing.assert_close(loaded(make_batch(), RANDOMNESS), model(make_batch(), RANDOMNESS))


def test_stage_two_without_a_teacher_is_refused() -> None:
    with pytest.raises(UsageError, match=r"stage 2 of MAViL has no teacher.*--teacher.*start_from"):
        Mavil(STUDENT)(make_batch(), RANDOMNESS)
    loaded = Mavil(STUDENT)
    loaded.load_state_dict(Mavil(STUDENT).state_dict())
    with pytest.raises(UsageError, match="no teacher"):
        loaded(make_batch(), RANDOMNESS)


def test_a_teacher_that_does_not_fit_is_refused() -> None:
    first = Mavil(TINY)
    with pytest.raises(UsageError, match="stage 1 has no teacher"):
        first.start_from(first)
    with pytest.raises(UsageError, match="random teacher takes no weights"):
        Mavil(replace(STUDENT, teacher="random")).start_from(first)
    with pytest.raises(UsageError, match=r"heads is 2 in the teacher's run and 4 here"):
        Mavil(replace(STUDENT, heads=4)).start_from(first)
    with pytest.raises(UsageError, match=r"inputs\.audio_mean"):
        Mavil(replace(STUDENT, inputs=replace(INPUTS, audio_mean=0.0))).start_from(first)
    Mavil(replace(STUDENT, inputs=replace(INPUTS, flip=True))).start_from(first)  # augmentation may differ


def test_another_method_is_no_teacher() -> None:
    other = AVSiam.__new__(AVSiam)
    torch.nn.Module.__init__(other)
    with pytest.raises(UsageError, match="the teacher is a AVSiam"):
        Mavil(STUDENT).start_from(other)
