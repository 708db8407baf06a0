"""Trained networks for others: on the Hugging Face Hub, with a page that says what they are."""

from nasnet_keras.publishing.push import push_to_hub

__all__ = ["push_to_hub"]
