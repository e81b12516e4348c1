"""AV-digits: real images of handwritten digits with spoken ones. The images are real, the sound is synthetic."""
