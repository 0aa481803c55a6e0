"""Whose an answer is: who may see what, what is in an answer, and what of it is somebody else's."""
