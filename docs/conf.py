"""How Sphinx builds the site: `make docs`. Nothing is fetched while it builds, or by its pages."""

import os
import sys
from pathlib import Path

here = Path(__file__).parent
sys.path.insert(0, str(here / "_ext"))
# Notebooks and imports must not look for a hub, nor say that PyTorch is missing.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

from reference import sources_digest  # noqa: E402

from itune import __version__  # noqa: E402

project = "itune"
author = "The itune authors"
project_copyright = "The itune authors"
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "mathml",
    "reference",
]
exclude_patterns = ["_ext"]
nitpicky = True

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 1200
nb_output_stderr = "remove"
nb_merge_streams = True
nb_execution_in_temp = True
# What was executed counts only for the library that it was executed with.
nb_execution_cache_path = str(here.parent / "build" / "notebooks" / sources_digest())

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"itune {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = False
