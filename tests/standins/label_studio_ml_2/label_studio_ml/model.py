"""The base class."""

CACHE: dict = {}


class LabelStudioMLBase:
    """Keeps values per project, in a dictionary instead of a file."""

    def __init__(self, project_id=None, label_config=None):
        self.project_id = project_id or ""
        if not self.model_version:
            self.set("model_version", "0.0.1")
        self.setup()

    def setup(self):
        """Made ready by subclasses."""

    def get(self, key):
        """A value."""
        return CACHE.get((self.project_id, key))

    def set(self, key, value):
        """Keeps text only."""
        if not isinstance(value, str):
            raise TypeError(f"Value must be a string, got {type(value)}")
        CACHE[self.project_id, key] = value

    def set_extra_params(self, extra_params):
        """Given by /setup."""
        self.set("extra_params", extra_params)

    @property
    def model_version(self):
        """As it was set."""
        return self.get("model_version")
