"""The formulas of the papers as functions of tensors: attention, projection, removal, means, schedule.

May use torch and `params`; knows neither files nor a UNet.
"""
