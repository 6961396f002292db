"""Radio skies: a generator, and a learned prior of them as a denoiser of images of any size."""
