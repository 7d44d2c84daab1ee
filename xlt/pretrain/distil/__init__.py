"""Distillation: trains the student towards the sentence vectors of its teacher."""
