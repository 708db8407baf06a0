"""How `make docs` builds the site from docs/*.md and the docstrings."""

import re

from sphinx.util import logging

import nasnet_keras

PUBLIC = [name for name in dir(nasnet_keras) if not name.startswith("__")]
IN_BACKTICKS = re.compile(rf"(?<!`)`({'|'.join(PUBLIC)})`(?!`)")

project = "nasnet_keras"
version = release = nasnet_keras.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
# The tests run the notebook, with a small network.
nb_execution_mode = "off"
# As on a forge, `page.md#heading` leads to the heading.
myst_heading_anchors = 3

default_role = "literal"
# Servers whose own dependencies do not fit ours.
autodoc_mock_imports = ["kserve", "mlserver"]
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
# Keras's own docstrings are for Keras's own site.
autodoc_inherit_docstrings = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
toc_object_entries = False

html_theme = "alabaster"
html_theme_options = {
    "page_width": "76rem",
    "body_max_width": "none",
    "sidebar_width": "15rem",
    "fixed_sidebar": True,
    "font_size": "16px",
}
html_title = f"nasnet_keras {version}"
html_copy_source = False
html_show_copyright = False


def setup(app):
    app.connect("autodoc-process-docstring", link_public_names)
    app.connect("env-check-consistency", check_that_public_names_are_there)


def link_public_names(app, what, name, obj, options, lines):
    lines[:] = [IN_BACKTICKS.sub(r":py:obj:`~nasnet_keras.\1`", line) for line in lines]


def check_that_public_names_are_there(app, environment):
    described = environment.domaindata["py"]["objects"]
    for name in PUBLIC:
        if f"nasnet_keras.{name}" not in described:
            logging.getLogger(__name__).warning("nasnet_keras.%s is not in the reference", name)
