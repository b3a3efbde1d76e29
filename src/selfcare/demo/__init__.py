"""A demo operator: catalogue, named people and as many generated customers as you like. Mounted only in the demo."""
