"""The site of the documentation, for Sphinx; see ../build_site.sh."""

import os
from pathlib import Path

import quicchat

project = "quicchat"
version = release = quicchat.__version__
root_doc = "index"
extensions = ["sphinx.ext.autodoc", "myst_parser", "breathe"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
html_theme = "alabaster"
html_theme_options = {"description": "Chat over QUIC", "page_width": "1100px"}
html_copy_source = False

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
python_use_unqualified_type_names = True

breathe_projects = {"quicchat": str(Path(os.environ["QUICCHAT_SITE"]) / "xml")}
breathe_default_project = "quicchat"
breathe_default_members = ("members",)

# Links to files beside the guides, such as ../README.md, lead out of the site on purpose;
# tests/test_guides.py sees that each leads somewhere.
suppress_warnings = ["myst.xref_missing"]
