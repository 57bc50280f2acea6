#!/bin/sh
# Fetches the upstream tarball of a Debian source package from the archive this machine already
# uses, with apt's signature checks, and without touching /etc/apt or /var/lib/apt.
#
#   fetch_debian_source.sh DIRECTORY PACKAGE UPSTREAM_VERSION SUITE...
#
# Tries the suites in order. Prints the reason and ends with a status other than 0 if none has
# that version. Works without root.
set -eu

directory=$(mkdir -p "$1" && cd "$1" && pwd)
package=$2
upstream_version=$3
shift 3

fail() {
    echo "fetch_debian_source: $*" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 || fail "this machine has no apt-get"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "$keyring is missing (package debian-archive-keyring)"

# The archive is whatever apt would use for Debian's packages. Without downloaded lists apt knows
# the addresses but not the labels, so there the security archive is told by its name.
find_archive() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null |
        grep -v -e '-security' | sort -u | head -n 1
}
find_archive_without_lists() {
    apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' \
        2>/dev/null |
        grep -v -e '-security' | grep -E '/debian/?$' | sort -u | head -n 1
}
archive=$(find_archive)
[ -n "$archive" ] || archive=$(find_archive_without_lists)
[ -n "$archive" ] || fail "apt is not set up with a Debian archive"

root=$(mktemp -d "${TMPDIR:-/tmp}/quicchat-apt.XXXXXX")
trap 'rm -rf "$root"' EXIT INT TERM
mkdir -p "$root/state/lists/partial" "$root/cache/archives/partial" "$root/etc/parts"
: >"$root/state/status"

# apt with its own state, so that nothing of the machine's set-up is read or changed but the keyring
# and the proxy settings.
private() {
    tool=$1
    shift
    "$tool" -q -q \
        -o "Dir::State=$root/state" -o "Dir::State::status=$root/state/status" \
        -o "Dir::Cache=$root/cache" \
        -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$root/etc/" \
        -o "Dir::Etc::Parts=$root/etc/parts" \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o "APT::Sandbox::User=$(id -un)" -o APT::Get::AllowUnauthenticated=false \
        -o Acquire::Languages=none -o Acquire::Retries=2 -o Debug::NoLocking=1 "$@" </dev/null
}

for suite in "$@"; do
    printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "$archive" "$suite" "$keyring" >"$root/etc/quicchat.sources"
    if ! private apt-get --error-on=any update; then
        echo "fetch_debian_source: could not read the source list of $suite" >&2
        continue
    fi
    # The revision behind the hyphen is Debian's; the upstream tarball is the same for all.
    version=$(private apt-cache showsrc --only-source "$package" 2>/dev/null |
        sed -n 's/^Version: //p' | grep -F -e "$upstream_version-" | head -n 1 || true)
    if [ -z "$version" ]; then
        echo "fetch_debian_source: $suite no longer has $package $upstream_version" >&2
        continue
    fi
    # Only the tarballs: the packaging files are not needed, and are the first to leave a mirror.
    if (cd "$directory" &&
        private apt-get source --download-only --tar-only "$package=$version"); then
        exit 0
    fi
    echo "fetch_debian_source: could not download $package $version from $suite" >&2
done
fail "no suite of $* has $package $upstream_version"
