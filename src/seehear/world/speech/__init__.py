"""Speech: a formant synthesiser with its words, speakers, emotions and the faces that speak.

`ENGINES` are those who can speak: the built-in synthesiser, or eSpeak NG where it is installed.
"""

ENGINES = ("built-in", "espeak-ng")
