"""Media made for the tests, with what they hold known exactly: numbered frames, and sound given as a function of time.

Legend: T frames, H W picture, S samples, C channels.
"""

import functools
import io
import struct
from fractions import Fraction

import av
import numpy as np

BITS = 10


def numbered(count, height=48, width=96):
    """uint8 `[T, H, W, 3]`: picture i shows i as ten black or white columns (binary, least significant left)."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    edges = np.linspace(0, width, BITS + 1).round().astype(int)
    for index in range(count):
        for bit in range(BITS):
            if index >> bit & 1:
                frames[index, :, edges[bit] : edges[bit + 1]] = 255
    return frames


def numbers(pixels):
    """The numbers that pictures `[T, H, W, 3]` show."""
    height, width = pixels.shape[1:3]
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    bits = pixels[:, height // 2, centres, 1] > 127
    return (bits << np.arange(BITS)).sum(1).tolist()


def grainy(pixels):
    """The same pictures with noise but for the rows that `numbers` reads: groups of real sizes, not of a few bytes."""
    noise = np.random.default_rng(0).integers(0, 120, pixels.shape)
    noisy = (pixels // 2 + noise).astype(np.uint8)
    middle = pixels.shape[1] // 2
    noisy[:, middle - 4 : middle + 4] = pixels[:, middle - 4 : middle + 4]
    return noisy


def video(pixels, *, codec="libx264", container="mp4", pixel_format="yuv420p", stamps=None, rate=25, options=None):
    """Bytes of a video of `pixels`; `stamps` are time stamps in 1/1000 s (default: constant `rate`)."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        stream = add_video(out, pixels, codec, pixel_format, stamps, rate, options)
        for index, picture in enumerate(pixels):
            mux_picture(out, stream, picture, index if stamps is None else stamps[index])
        out.mux(stream.encode(None))
    return buffer.getvalue()


def add_video(out, pixels, codec="libx264", pixel_format="yuv420p", stamps=None, rate=25, options=None):
    defaults = {"g": "10", "crf": "12", "preset": "ultrafast"} if codec == "libx264" else {"g": "10"}
    stream = out.add_stream(codec, rate=rate, options=defaults | (options or {}))
    stream.height, stream.width, stream.pix_fmt = *pixels.shape[1:3], pixel_format
    stream.codec_context.thread_count = 1
    if codec != "libx264":
        stream.bit_rate = 4_000_000
    tick = Fraction(1, 1000) if stamps is not None else 1 / Fraction(rate)
    stream.codec_context.time_base = stream.time_base = tick
    return stream


def mux_picture(out, stream, picture, stamp):
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame.pts, frame.time_base = int(stamp), stream.codec_context.time_base
    out.mux(stream.encode(frame))


def melody(times, seed=0):
    """float64 sound at the given times: 12 sines of 80 to 3000 Hz under an uneven envelope. No two lags look alike."""
    rng = np.random.default_rng(seed)
    wave = np.zeros(len(times))
    for frequency, phase in zip(rng.uniform(80, 3000, 12), rng.uniform(0, 2 * np.pi, 12), strict=True):
        wave += np.sin(2 * np.pi * frequency * times + phase)
    return 0.07 * wave * (0.6 + 0.4 * np.sin(2 * np.pi * 1.3 * times + 1) * np.sin(2 * np.pi * 0.37 * times))


def reference(seconds, start=0.0, seed=0):
    """int16 `[S]` of the melody at 16 kHz."""
    times = start + np.arange(round(seconds * 16_000)) / 16_000
    return np.rint(melody(times, seed) * 32768).astype(np.int16)


@functools.cache
def sound(
    seconds,
    *,
    codec="pcm_s16le",
    container="wav",
    rate=16_000,
    layout="mono",
    sample_format="s16",
    gains=None,
    bits=None,
):
    """Bytes of the melody; `gains` per channel (default 1 each)."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        stream = add_sound(out, codec, rate, layout, bits)
        mux_sound(out, stream, melody(np.arange(round(seconds * rate)) / rate), rate, layout, sample_format, gains)
    return buffer.getvalue()


def add_sound(out, codec, rate, layout="mono", bits=None):
    stream = out.add_stream(codec, rate=rate, layout=layout, options={"strict": "-2"})
    stream.bit_rate = bits or 128_000
    return stream


def mux_sound(out, stream, wave, rate, layout="mono", sample_format="s16", gains=None, start=0):
    channels = len(av.AudioLayout(layout).channels)
    planes = np.outer(np.ones(channels) if gains is None else gains, wave)
    scale, kind = {"s16": (32768, "<i2"), "s32": (2**31, "<i4"), "flt": (1, "<f4"), "u8": (128, "u1")}[sample_format]
    samples = planes * scale + (128 if sample_format == "u8" else 0)
    samples = (np.rint(samples) if scale > 1 else samples).astype(kind)
    for begin in range(0, samples.shape[1], 4096):
        block = np.ascontiguousarray(samples[:, begin : begin + 4096].T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(block, format=sample_format, layout=layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = begin + start
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def lag(found, source, reach=2000):
    """Samples by which `found` runs late against `source` (both `[S]`), by the peak of their cross-correlation."""
    length = min(len(found), len(source))
    a, b = found[:length].astype(float), source[:length].astype(float)
    size = 1 << (2 * length).bit_length()
    product = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    lags = np.concatenate([product[:reach], product[-reach:]])
    best = int(np.argmax(lags))
    return best if best < reach else best - 2 * reach


def turned(data, matrix):
    """An mp4 whose first track has the display matrix (a, b, c, d) in its tkhd box."""
    a, b, c, d = (int(v * 65536) for v in matrix)
    position = data.index(b"tkhd") + 44
    box = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return data[:position] + box + data[position + 36 :]
