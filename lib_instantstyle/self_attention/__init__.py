"""A reference without an adapter: one pass of the UNet on it at each timestep, which the self-attentions then read.

May use torch and the rooms `params`, `pictures`, `method` and `unet`; a host only hands over the reference's latent,
its conditioning and the noise levels of the model.
"""
