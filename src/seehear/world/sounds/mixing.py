"""Mixing: stems after room and gain, whose sum is the mixture exactly; class-independent loudness.

Every stem's peaks are held to its class's `crest` times its level by a soft limiter before the mix, so that the
loudness law can be the same for bells and for rain without clipping; should the sum still pass full scale, one common
gain brings all stems down together. A clip in which nothing sounds holds its background noise alone.

A scene may go on before its first and after its last picture (`margins_seconds`). Then the sound is made for all that
time, and the clip hears a window of it: the one that its pictures show, or one shifted by `sound_offset_seconds`. What
began before the window rings into it, and nothing marks its edges.

Legend: S samples.
"""

import dataclasses

import numpy as np
from numpy import ndarray

from seehear.errors import UsageError
from seehear.world.classes import kind
from seehear.world.kinds import CREST
from seehear.world.scenes import Event, Noise, Scene, Source
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.room import respond
from seehear.world.streams import stream

KNEE_SHARE = 3.5 / CREST  # of the crest
FULL_SCALE = 0.98
FLOOR_DB = -60.0


def mix(scene: Scene) -> tuple[ndarray, dict[str, ndarray]]:
    """The mixture `[S]` float32 and its stems: one per source ("source 0", ...) and "background".

    Where nothing sounds, the noise alone has the clip's loudness.

    Raises:
        UsageError: if the sound is shifted beyond what the scene has before or after its pictures.
    """
    samples, window = _window(scene)
    sounds = [_stem(scene, number, source, samples)[window] for number, source in enumerate(scene.sources)]
    played = np.sum([np.zeros(scene.format.samples, np.float32), *sounds], axis=0)
    level = np.sqrt(np.mean(played.astype(np.float64) ** 2))
    noise = _noise(scene.noise, samples)[window] * np.float32(max(level * 10 ** (-scene.noise.snr_db / 20), 1e-9))
    gain = 10 ** (scene.grade.loudness_db / 20) / np.sqrt(np.mean((played + noise).astype(np.float64) ** 2))
    floor = 10 ** (FLOOR_DB / 20) / (np.sqrt(np.mean(noise.astype(np.float64) ** 2)) * gain)
    noise = noise * np.float32(max(1.0, floor))
    gain = min(gain, FULL_SCALE / np.abs(played + noise).max())
    stems = {f"source {k}": sound * np.float32(gain) for k, sound in enumerate(sounds)}
    stems["background"] = noise * np.float32(gain)
    mixture = np.asarray(np.sum(list(stems.values()), axis=0, dtype=np.float64))
    return mixture.astype(np.float32), stems


def _window(scene: Scene) -> tuple[int, slice]:
    """How many samples are made, and which of them the clip hears."""
    (before, after), late = scene.margins_seconds, scene.sound_offset_seconds
    if not -after <= late <= before:
        raise UsageError(
            f"clip {scene.id} with its sound {late} s late",
            expected=f"{0 - after} to {before} s: what the scene has around its pictures",
        )
    rate, heard = scene.format.sample_rate, scene.format.samples
    first = round((before - late) * rate)
    return heard + round((before + after) * rate), slice(first, first + heard)


def _stem(scene: Scene, number: int, source: Source, samples: int) -> ndarray:
    own = tuple(_postponed(event, scene.margins_seconds[0]) for event in scene.events if event.source == number)
    what = kind(source.instance.kind)
    dry = _limit(what.voice(source, own, samples), what.crest)
    heard = respond(scene.background, dry, source.body is None and not source.near)
    return _limit(heard, what.crest) * np.float32(10 ** (source.gain_db / 20))


def _postponed(event: Event, seconds: float) -> Event:
    start, stop = event.start_seconds + seconds, event.stop_seconds + seconds
    return dataclasses.replace(event, start_seconds=start, stop_seconds=stop)


def _limit(sound: ndarray, crest: float) -> ndarray:
    """Level 1 (RMS); what stands out is bent so that it stays below `crest`, the rest is untouched."""
    level = np.sqrt(np.mean(sound.astype(np.float64) ** 2))
    if level == 0:
        return sound
    scaled = sound * np.float32(1 / level)
    knee = KNEE_SHARE * crest
    over = np.flatnonzero(np.abs(scaled) > knee)
    beyond = (np.abs(scaled[over]) - knee) / (crest - knee)
    scaled[over] = np.sign(scaled[over]) * (knee + (crest - knee) * np.tanh(beyond))
    return scaled


def _noise(noise: Noise, samples: int) -> ndarray:
    """Background noise `[S]` of RMS 1 whose spectrum tilts by `slope_db` per octave (one pole and one zero)."""
    rng = stream(noise.seed, "noise")
    white = rng.standard_normal(samples)
    dark = filtered([1.0], [1.0, -0.97], white)
    share = noise.slope_db / -6.0
    coloured = white * (1 - share) + dark / dark.std() * share
    return (coloured / coloured.std()).astype(np.float32)
