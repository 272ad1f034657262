"""The choices of settings in the ``conf`` folders of sdrun's plugins, wherever Hydra composes."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from sdrun.plugins import registry


class Choices(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for plugin in registry.loaded.values():
            if plugin.conf:
                search_path.append(plugin.name, f"file://{plugin.conf}")
