#!/bin/sh
# Makes build/site/html: the guides, the reference of the Python package, and that of the C++ library.
#
#     sh examples/guides/build_site.sh
#     sh examples/guides/build_site.sh headers     only the check that all headers are commented
#
# Needs doxygen (Debian: doxygen), and takes Sphinx, MyST and Breathe from the Python index into a
# virtual environment of its own. The package that is described is the one that $PYTHON (python3)
# imports; if it imports none, this one is built. A warning is an error.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
site=${QUICCHAT_SITE:-$top/build/site}
python=${PYTHON:-python3}
command -v doxygen >/dev/null || {
    echo "build_site.sh: there is no doxygen (Debian: apt-get install doxygen)" >&2
    exit 69
}
mkdir -p "$site"

# Doxygen does not find the scope of specialisations of templates of std.
echo '/^template <>$/{N;/struct std::/{:a;/};$/!{N;ba};d}}' >"$site/filter.sed"

# Runs Doxygen over files or folders, into a folder of the site. A warning is an error.
run_doxygen() {
    to=$1
    shift
    rm -rf "${site:?}/$to"
    doxygen - <<CONFIG
PROJECT_NAME = quicchat
OUTPUT_DIRECTORY = $site
XML_OUTPUT = $to
GENERATE_XML = YES
GENERATE_HTML = NO
GENERATE_LATEX = NO
QUIET = YES
INPUT = $*
FILE_PATTERNS = *.hpp
RECURSIVE = YES
STRIP_FROM_INC_PATH = $top/include
EXCLUDE_SYMBOLS = *::detail
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = QUICCHAT_DECL=
JAVADOC_AUTOBRIEF = YES
DISTRIBUTE_GROUP_DOC = YES
SORT_MEMBER_DOCS = NO
WARN_AS_ERROR = FAIL_ON_WARNINGS
INPUT_FILTER = "sed -f $site/filter.sed"
CONFIG
}

# All headers, also those that programs do not name. What is in a namespace counts only if the
# namespace itself has a comment.
grep -rhoE '^namespace quicchat[a-z:]*' "$top/include/quicchat" | sort -u | grep -v detail |
    sed 's|namespace \(.*\)|/** @namespace \1 Its headers say what it has. */|' \
        >"$site/namespaces.hpp"
run_doxygen xml-of-all "$top/include/quicchat" "$site/namespaces.hpp"
if [ "${1-}" = headers ]; then exit 0; fi

[ -x "$site/venv/bin/python3" ] || "$python" -m venv "$site/venv"
"$site/venv/bin/python3" -m pip install --quiet sphinx myst-parser breathe
folder=$("$python" -c 'import pathlib, quicchat; print(pathlib.Path(quicchat.__file__).parent.parent)' \
    2>/dev/null) || folder=
if [ -n "$folder" ]; then
    libraries=$("$site/venv/bin/python3" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$folder" >"$libraries/quicchat_of_python.pth"
else
    "$site/venv/bin/python3" -m pip install --quiet "$top"
fi

# The headers that the reference describes: what programs name, see site/cpp.rst.
headers=$(sed -n 's/^\.\. header: //p' "$top/examples/guides/site/cpp.rst")
rm -rf "$site/html"
run_doxygen xml $(for header in $headers; do printf '%s/include/quicchat/%s ' "$top" "$header"; done)

QUICCHAT_SITE="$site" "$site/venv/bin/python3" -m sphinx -W --keep-going -q -b html \
    -c "$top/examples/guides/site" -d "$site/doctrees" "$top/examples/guides" "$site/html"
echo "$site/html/index.html"
