"""Four emotions, each as a way to speak and as a face.

The directions follow reviews of the vocal cues of emotion (Murray and Arnott, JASA 1993; Banse and Scherer, JPSP
1996): joy is higher, livelier, quicker; sadness lower, flatter, slower, duller; anger higher, louder, brighter, with
strong accents. Faces follow the action units of Ekman and Friesen (1978): joy lifts the corners of the mouth, sadness
drops them and lifts the inner ends of the brows, anger draws the brows down and together.

How loud a clip is tells nothing, because every clip is brought to a level of its own: energy shows in how much the
accents stand out.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Prosody:
    """How an emotion changes a voice: factors of the pitch, its range, the rate and the accents; `tilt_db` per octave.

    `breath` is added to the speaker's breathiness.
    """

    level: float
    range: float
    rate: float
    energy: float
    tilt_db: float
    breath: float


@dataclass(frozen=True)
class Expression:
    """How an emotion changes a face, -1 to 1.

    Attributes:
        corners: of the mouth, up.
        brows: up.
        inner: inner ends of the brows, up.
        lids: how wide the eyes are open beyond their rest.
    """

    corners: float
    brows: float
    inner: float
    lids: float


NEUTRAL = "neutral"
PROSODIES = {
    NEUTRAL: Prosody(1.0, 1.0, 1.0, 1.0, 0.0, 0.0),
    "happy": Prosody(1.22, 1.8, 1.12, 1.4, 1.0, 0.0),
    "sad": Prosody(0.88, 0.4, 0.82, 0.6, -3.5, 0.5),
    "angry": Prosody(1.15, 1.3, 1.08, 2.0, 4.0, -0.5),
}
EXPRESSIONS = {
    NEUTRAL: Expression(0.0, 0.0, 0.0, 0.0),
    "happy": Expression(1.0, 0.6, 0.0, 0.1),
    "sad": Expression(-0.8, 0.25, 1.0, -0.5),
    "angry": Expression(-0.55, -0.6, -1.0, 0.25),
}
EMOTIONS = tuple(PROSODIES)
SLOWEST = min(own.rate for own in PROSODIES.values())
