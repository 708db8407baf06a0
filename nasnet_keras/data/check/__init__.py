"""The check of people's own image files: every one is decoded before hours are spent on them."""
