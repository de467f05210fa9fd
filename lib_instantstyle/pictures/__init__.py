"""Pictures and masks: decoding, the square views that the image encoder sees, and regions. Loads no models."""
