"""The settings of a pipeline, as models that refuse unknown keys; ``pipeline/config.py`` reads and writes them."""
