"""Adapts any Hugging Face encoder to languages and scripts that it reads badly."""
