"""Released weights: published files of tensors as encoders of this project, one adapter per layout."""
