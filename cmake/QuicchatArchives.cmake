# The release archives that quicchat builds from source when the system has nothing suitable, and
# how they are obtained. Every file is checked against a list of SHA256 hashes before it is opened.
include_guard(GLOBAL)

# Describes one archive:
#   TITLE    what people call it
#   FILES    names under which the file may lie in QUICCHAT_ARCHIVE_DIR; downloads get the first
#   SHA256   accepted hashes. Each was computed from a file that was looked at, see the comments.
#   URL      the address of the release at its authors, if that is the same file
#   DEBIAN   source package, upstream version, and the suites to look in
function(quicchat_pin name)
    cmake_parse_arguments(PARSE_ARGV 1 pin "" "TITLE;URL" "FILES;SHA256;DEBIAN")
    foreach(field IN ITEMS TITLE URL FILES SHA256 DEBIAN)
        set_property(GLOBAL PROPERTY "QUICCHAT_PIN_${name}_${field}" "${pin_${field}}")
    endforeach()
endfunction()

# Debian's tarball is the release file; the authors' signature on it was verified.
quicchat_pin(ngtcp2
    TITLE "ngtcp2 1.24.0"
    FILES ngtcp2-1.24.0.tar.xz ngtcp2_1.24.0.orig.tar.xz
    SHA256 7fa5ec2be0f0cbed8bc4ec89c0787dfa9d8ce678f1ed9477c52f30eb1a591207
    URL "https://github.com/ngtcp2/ngtcp2/releases/download/v1.24.0/ngtcp2-1.24.0.tar.xz"
    DEBIAN ngtcp2 1.24.0 sid forky)

# The hash is of Debian's tarball, which has the layout of GitHub's archive of the tag. If GitHub's
# file ever differs (its archives are made on request), compare the trees and add its hash here.
quicchat_pin(wolfssl
    TITLE "wolfSSL 5.9.2"
    FILES wolfssl-5.9.2-stable.tar.gz v5.9.2-stable.tar.gz wolfssl_5.9.2.orig.tar.gz
    SHA256 2f4ef3d4fd387a9b3191d36a6316d69116c46ff69bb9583b6c82b36d7b8ca114
    URL "https://github.com/wolfSSL/wolfssl/archive/refs/tags/v5.9.2-stable.tar.gz"
    DEBIAN wolfssl 5.9.2 sid forky)

quicchat_pin(catch2
    TITLE "Catch2 3.7.1"
    FILES Catch2-3.7.1.tar.gz catch2_3.7.1.orig.tar.gz
    SHA256 c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c
    URL "https://github.com/catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz"
    DEBIAN catch2 3.7.1 trixie forky sid)

quicchat_pin(nlohmann_json
    TITLE "nlohmann-json 3.11.3"
    FILES json-3.11.3.tar.gz nlohmann-json3_3.11.3.orig.tar.gz
    SHA256 0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406
    URL "https://github.com/nlohmann/json/archive/refs/tags/v3.11.3.tar.gz"
    DEBIAN nlohmann-json3 3.11.3 trixie forky sid)

# Debian packs anew what SQLite's authors publish as a zip file, so there is no address. Every file in it
# has the hash that the release's manifest says: sqlite3.c made of it names the check-in bf7c7f30.
quicchat_pin(sqlite
    TITLE "SQLite 3.53.4"
    FILES sqlite3_3.53.4.orig.tar.xz
    SHA256 05366adc8ee80c6b1faa71285b49d133c2121238ca58934b077fdeb95934abd4
    DEBIAN sqlite3 3.53.4 sid forky)

function(quicchat_pin_field name field out)
    get_property(value GLOBAL PROPERTY "QUICCHAT_PIN_${name}_${field}")
    set(${out} "${value}" PARENT_SCOPE)
endfunction()

# Moves a downloaded file to its place if its hash is known, or says why not.
function(quicchat_accept_download name candidate source out_path out_problem)
    quicchat_pin_field(${name} SHA256 accepted)
    quicchat_pin_field(${name} FILES files)
    list(GET files 0 file)
    file(SHA256 "${candidate}" hash)
    if(hash IN_LIST accepted)
        file(RENAME "${candidate}" "${QUICCHAT_CACHE_DIR}/archives/${file}")
        set(${out_path} "${QUICCHAT_CACHE_DIR}/archives/${file}" PARENT_SCOPE)
    else()
        file(REMOVE "${candidate}")
        set(${out_problem} "${source} sent a file with SHA256 ${hash}" PARENT_SCOPE)
    endif()
endfunction()

function(quicchat_archive_from_folders name out)
    quicchat_pin_field(${name} SHA256 accepted)
    quicchat_pin_field(${name} FILES files)
    foreach(folder IN ITEMS "${QUICCHAT_ARCHIVE_DIR}" "${QUICCHAT_CACHE_DIR}/archives")
        foreach(file IN LISTS files)
            if(NOT EXISTS "${folder}/${file}")
                continue()
            endif()
            file(SHA256 "${folder}/${file}" hash)
            if(NOT hash IN_LIST accepted)
                list(JOIN accepted "\n    " expected)
                message(FATAL_ERROR
                    "${folder}/${file} is not the file quicchat was tested with.\n"
                    "  its SHA256:\n    ${hash}\n  expected:\n    ${expected}\n"
                    "Delete it to have it downloaded, or put the right file in its place.")
            endif()
            set(${out} "${folder}/${file}" PARENT_SCOPE)
            return()
        endforeach()
    endforeach()
endfunction()

function(quicchat_archive_from_upstream name out_path out_problem)
    quicchat_pin_field(${name} URL url)
    set(part "${QUICCHAT_CACHE_DIR}/archives/${name}.part")
    # Ask for one byte first: where no way leads out, a build should notice within seconds.
    file(DOWNLOAD "${url}" "${part}" STATUS status TIMEOUT 10 RANGE_START 0 RANGE_END 0)
    list(GET status 0 code)
    if(code EQUAL 0)
        file(DOWNLOAD "${url}" "${part}" STATUS status INACTIVITY_TIMEOUT 30)
        list(GET status 0 code)
    endif()
    if(code EQUAL 0)
        quicchat_accept_download(${name} "${part}" "${url}" path problem)
    else()
        list(GET status 1 reason)
        file(REMOVE "${part}")
        set(problem "${url}: ${reason}")
    endif()
    set(${out_path} "${path}" PARENT_SCOPE)
    set(${out_problem} "${problem}" PARENT_SCOPE)
endfunction()

function(quicchat_archive_from_debian name out_path out_problem)
    quicchat_pin_field(${name} DEBIAN debian)
    set(folder "${QUICCHAT_CACHE_DIR}/archives/${name}.debian")
    file(REMOVE_RECURSE "${folder}")
    execute_process(
        COMMAND sh "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/fetch_debian_source.sh" "${folder}" ${debian}
        RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    set(path)
    set(problem)
    file(GLOB candidates "${folder}/*.orig.tar.*")
    list(FILTER candidates EXCLUDE REGEX "\\.asc$")
    if(code EQUAL 0 AND candidates)
        list(GET candidates 0 candidate)
        quicchat_accept_download(${name} "${candidate}" "The Debian archive" path problem)
    else()
        string(STRIP "${output}" output)
        string(REPLACE "\n" "\n      " output "${output}")
        set(problem "the Debian archive:\n      ${output}")
    endif()
    file(REMOVE_RECURSE "${folder}")
    set(${out_path} "${path}" PARENT_SCOPE)
    set(${out_problem} "${problem}" PARENT_SCOPE)
endfunction()

# Sets `out` to a local path of the archive `name`, fetching it if need be. Stops the configuration
# with instructions if it cannot be had.
function(quicchat_obtain_archive name out)
    quicchat_pin_field(${name} TITLE title)
    set(path)
    quicchat_archive_from_folders(${name} path)
    if(path)
        set(${out} "${path}" PARENT_SCOPE)
        return()
    endif()

    file(MAKE_DIRECTORY "${QUICCHAT_CACHE_DIR}/archives")
    set(problems)
    set(origins debian)
    quicchat_pin_field(${name} URL url)
    if(url)
        set(origins upstream debian)
    endif()
    foreach(origin IN LISTS origins)
        message(STATUS "quicchat: fetching ${title} (${origin})")
        cmake_language(CALL quicchat_archive_from_${origin} ${name} path problem)
        if(path)
            set(${out} "${path}" PARENT_SCOPE)
            return()
        endif()
        string(APPEND problems "    ${problem}\n")
    endforeach()

    foreach(field IN ITEMS FILES SHA256 DEBIAN)
        quicchat_pin_field(${name} ${field} ${field})
    endforeach()
    if(url)
        set(where "The authors publish it at\n        ${url}")
    else()
        list(GET DEBIAN 0 package)
        set(where "It is part of Debian's source package ${package}")
    endif()
    list(JOIN FILES " or " FILES)
    list(JOIN SHA256 "\n      " SHA256)
    message(FATAL_ERROR
        "quicchat needs the source archive of ${title} and could not get it.\n"
        "  What was tried:\n${problems}"
        "  What you can do, one of:\n"
        "    - Put the file into the folder\n"
        "        ${QUICCHAT_ARCHIVE_DIR}\n"
        "      (choose another with -DQUICCHAT_ARCHIVE_DIR=... or the environment variable of that "
        "name). It must be named\n"
        "        ${FILES}\n"
        "      and have the SHA256\n"
        "        ${SHA256}\n"
        "      ${where}\n"
        "    - Name a prefix in which the library is installed already:\n"
        "        -DQUICCHAT_DEPS_PREFIX=/path, or the environment variable of that name.\n")
endfunction()
