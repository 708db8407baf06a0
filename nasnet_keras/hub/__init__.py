"""The Hugging Face Hub: networks that come from there, and files that go there."""

from nasnet_keras.hub.address import is_hub_address, repository_of
from nasnet_keras.hub.download import download_network
from nasnet_keras.hub.upload import upload

__all__ = ["download_network", "is_hub_address", "repository_of", "upload"]
