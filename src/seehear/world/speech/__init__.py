"""Speech: a formant synthesiser with its words, speakers, emotions and the faces that speak."""
