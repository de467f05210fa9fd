"""The papers' formulas as functions of tensors: attention, projection, removal, means, schedule. No files, no UNet."""
