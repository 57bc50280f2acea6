# Where quicchat's dependencies come from. In this order: the system, a prefix given by the user,
# pinned release archives built once per machine (QuicchatBuildCache.cmake).
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/QuicchatBuildCache.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/QuicchatTransportLibraries.cmake")

quicchat_choose_cache_dir(default_cache_dir)
set(default_archive_dir "${default_cache_dir}/archives")
if(DEFINED ENV{QUICCHAT_ARCHIVE_DIR})
    set(default_archive_dir "$ENV{QUICCHAT_ARCHIVE_DIR}")
endif()
set(default_asm OFF)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8
        AND UNIX AND NOT CMAKE_OSX_ARCHITECTURES)
    set(default_asm ON)
endif()

set(QUICCHAT_CACHE_DIR "${default_cache_dir}" CACHE PATH
    "Where dependencies built from archives are kept")
set(QUICCHAT_ARCHIVE_DIR "${default_archive_dir}" CACHE PATH
    "Where to look for release archives before downloading them")
set(QUICCHAT_DEPS_PREFIX "$ENV{QUICCHAT_DEPS_PREFIX}" CACHE PATH
    "Prefix with ngtcp2, its wolfSSL helper and wolfSSL")
option(QUICCHAT_SYSTEM_DEPS "Use ngtcp2 and wolfSSL of the system if they are good enough" ON)
option(QUICCHAT_BUNDLED_SQLITE "Build SQLite from its sources, too, and link it statically" OFF)
option(QUICCHAT_WOLFSSL_ASM "Build wolfSSL with its x86-64 assembly" ${default_asm})
# Whoever has the secrets of a connection reads it: a build that can write them is for debugging.
option(QUICCHAT_TLS_KEY_LOG "Debug builds only: endpoints can write the secrets of TLS to a file"
    OFF)
if(QUICCHAT_TLS_KEY_LOG AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    message(FATAL_ERROR "QUICCHAT_TLS_KEY_LOG is for debug builds only: add "
        "-DCMAKE_BUILD_TYPE=Debug, or leave it out")
endif()
mark_as_advanced(QUICCHAT_CACHE_DIR QUICCHAT_ARCHIVE_DIR QUICCHAT_SYSTEM_DEPS
    QUICCHAT_BUNDLED_SQLITE QUICCHAT_WOLFSSL_ASM QUICCHAT_TLS_KEY_LOG)

# What decides the output of a compiler, as text for a cache key. Not its path: one build says cc,
# the next gcc, and both are the same compiler.
function(quicchat_compiler_inputs language out)
    set(${out}
        "${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR} ${CMAKE_SIZEOF_VOID_P}"
        "${CMAKE_${language}_COMPILER_ID} ${CMAKE_${language}_COMPILER_VERSION}"
        "${CMAKE_${language}_COMPILER_TARGET} ${CMAKE_${language}_FLAGS}"
        "${CMAKE_SYSROOT} ${CMAKE_OSX_ARCHITECTURES} ${CMAKE_OSX_DEPLOYMENT_TARGET}"
        PARENT_SCOPE)
endfunction()

set(QUICCHAT_TRANSPORT_CHECK "${CMAKE_CURRENT_LIST_DIR}/checks/transport_libraries.cpp")
set(QUICCHAT_TRANSPORT_BUILD "${CMAKE_CURRENT_LIST_DIR}/dependencies")

function(quicchat_build_transport_libraries work_dir prefix log)
    set(key_log)
    if(QUICCHAT_TLS_KEY_LOG)
        set(key_log "-DCMAKE_C_FLAGS=${CMAKE_C_FLAGS} -DHAVE_SECRET_CALLBACK")
    endif()
    quicchat_unpack(ngtcp2 "${work_dir}" ngtcp2_source)
    set(root "wolfssl-5.9.2-stable")
    quicchat_unpack(wolfssl "${work_dir}" wolfssl_source
        "${root}/src" "${root}/wolfcrypt/src" "${root}/wolfssl" "${root}/COPYING")
    quicchat_build_project("wolfSSL and ngtcp2" "${QUICCHAT_TRANSPORT_BUILD}" "${work_dir}/build"
        "${prefix}" "${log}"
        OPTIONS
            "-DQUICCHAT_NGTCP2_SOURCE=${ngtcp2_source}"
            "-DQUICCHAT_WOLFSSL_SOURCE=${wolfssl_source}"
            "-DQUICCHAT_WOLFSSL_ASM=${QUICCHAT_WOLFSSL_ASM}"
            ${key_log})
    if(QUICCHAT_TLS_KEY_LOG)
        # Users of the headers must see what the library was compiled with.
        file(APPEND "${prefix}/include/quicchat_platform.h" "#define HAVE_SECRET_CALLBACK\n")
    endif()
endfunction()

# Makes quicchat::transport_libraries. QUICCHAT_TRANSPORT_ORIGIN tells where from: system, prefix or
# archives; QUICCHAT_TRANSPORT_PREFIX is the prefix for the last two. A macro, because what
# enable_language sets must reach the whole project. For QUICCHAT_TLS_KEY_LOG it is always archives.
macro(quicchat_provide_transport_libraries)
    set(QUICCHAT_TRANSPORT_ORIGIN)
    set(QUICCHAT_TRANSPORT_PREFIX)
    if(QUICCHAT_SYSTEM_DEPS AND NOT QUICCHAT_TLS_KEY_LOG)
        quicchat_import_transport_libraries("" "${QUICCHAT_TRANSPORT_CHECK}" quicchat_found
            quicchat_problem)
        if(quicchat_found)
            set(QUICCHAT_TRANSPORT_ORIGIN system)
        else()
            message(STATUS
                "quicchat: not using ngtcp2 and wolfSSL of the system: ${quicchat_problem}")
        endif()
    endif()
    if(NOT QUICCHAT_TRANSPORT_ORIGIN AND QUICCHAT_DEPS_PREFIX AND NOT QUICCHAT_TLS_KEY_LOG)
        set(QUICCHAT_TRANSPORT_ORIGIN prefix)
        set(QUICCHAT_TRANSPORT_PREFIX "${QUICCHAT_DEPS_PREFIX}")
    elseif(NOT QUICCHAT_TRANSPORT_ORIGIN)
        set(QUICCHAT_TRANSPORT_ORIGIN archives)
        enable_language(C)
        quicchat_compiler_inputs(C quicchat_inputs)
        file(GLOB_RECURSE quicchat_build_files "${QUICCHAT_TRANSPORT_BUILD}/*")
        list(FILTER quicchat_build_files EXCLUDE REGEX "/dependencies/sqlite/")
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${quicchat_build_files})
        foreach(quicchat_file IN LISTS quicchat_build_files)
            file(SHA256 "${quicchat_file}" quicchat_hash)
            list(APPEND quicchat_inputs "${quicchat_hash}")
        endforeach()
        foreach(quicchat_name IN ITEMS ngtcp2 wolfssl)
            quicchat_pin_field(${quicchat_name} SHA256 quicchat_hash)
            list(APPEND quicchat_inputs "${quicchat_hash}")
        endforeach()
        if(QUICCHAT_TLS_KEY_LOG)
            list(APPEND quicchat_inputs "key log")
        endif()
        quicchat_cached_prefix(transport "${quicchat_inputs};asm=${QUICCHAT_WOLFSSL_ASM}"
            quicchat_build_transport_libraries QUICCHAT_TRANSPORT_PREFIX)
    endif()
    if(NOT QUICCHAT_TRANSPORT_ORIGIN STREQUAL "system")
        quicchat_import_transport_libraries("${QUICCHAT_TRANSPORT_PREFIX}"
            "${QUICCHAT_TRANSPORT_CHECK}" quicchat_found quicchat_problem)
        if(NOT quicchat_found)
            message(FATAL_ERROR
                "No usable ngtcp2 and wolfSSL in ${QUICCHAT_TRANSPORT_PREFIX}: ${quicchat_problem}")
        endif()
    endif()
    message(STATUS
        "quicchat: ngtcp2 and wolfSSL: ${QUICCHAT_TRANSPORT_ORIGIN} ${QUICCHAT_TRANSPORT_PREFIX}")
endmacro()

# Makes sqlite3.c of the release's sources, by the compiler of this machine, and compiles it by the one
# of this build.
function(quicchat_build_sqlite work_dir prefix log)
    find_program(make NAMES make gmake NO_CACHE)
    find_program(cc NAMES "$ENV{CC_FOR_BUILD}" cc gcc clang NO_CACHE)
    if(NOT make OR NOT cc)
        message(FATAL_ERROR "To build SQLite, make and a C compiler for this machine are needed. "
            "Install them: apt-get install make gcc\n"
            "CC_FOR_BUILD in the environment names a compiler.")
    endif()
    quicchat_unpack(sqlite "${work_dir}" source)
    quicchat_run_step("configuring SQLite" "${log}" COMMAND "${CMAKE_COMMAND}" -E chdir "${source}"
        "${CMAKE_COMMAND}" -E env --unset=CFLAGS --unset=LDFLAGS "CC=${cc}" "CC_FOR_BUILD=${cc}"
        sh ./configure --disable-tcl --disable-readline)
    quicchat_run_step("making sqlite3.c" "${log}" COMMAND "${CMAKE_COMMAND}" -E chdir "${source}"
        "${CMAKE_COMMAND}" -E env --unset=MAKEFLAGS --unset=MAKELEVEL "${make}" sqlite3.c)
    quicchat_build_project("SQLite" "${QUICCHAT_TRANSPORT_BUILD}/sqlite" "${work_dir}/build"
        "${prefix}" "${log}" OPTIONS "-DQUICCHAT_SQLITE_SOURCE=${source}")
endfunction()

# Makes SQLite::SQLite3. It is the system's, which is everywhere and gets its security updates there
# (3.37 has STRICT tables), or for QUICCHAT_BUNDLED_SQLITE a static library of a pinned release, whose
# prefix is QUICCHAT_SQLITE_PREFIX. Everybody in one process should have the same SQLite: the locks of
# two on one file do not know of each other.
macro(quicchat_provide_sqlite)
    find_package(Threads REQUIRED GLOBAL)
    set(QUICCHAT_SQLITE_PREFIX)
    if(QUICCHAT_BUNDLED_SQLITE)
        enable_language(C)
        quicchat_compiler_inputs(C quicchat_inputs)
        quicchat_pin_field(sqlite SHA256 quicchat_hash)
        list(APPEND quicchat_inputs "${quicchat_hash}")
        set(quicchat_file "${QUICCHAT_TRANSPORT_BUILD}/sqlite/CMakeLists.txt")
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${quicchat_file}")
        file(SHA256 "${quicchat_file}" quicchat_hash)
        list(APPEND quicchat_inputs "${quicchat_hash}")
        quicchat_cached_prefix(sqlite "${quicchat_inputs}" quicchat_build_sqlite
            QUICCHAT_SQLITE_PREFIX)
        add_library(SQLite::SQLite3 STATIC IMPORTED GLOBAL)
        set_target_properties(SQLite::SQLite3 PROPERTIES
            IMPORTED_LOCATION "${QUICCHAT_SQLITE_PREFIX}/lib/libsqlite3.a"
            INTERFACE_INCLUDE_DIRECTORIES "${QUICCHAT_SQLITE_PREFIX}/include"
            INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
        message(STATUS "quicchat: SQLite: archives ${QUICCHAT_SQLITE_PREFIX}")
    else()
        find_package(SQLite3 3.37 QUIET GLOBAL)
        if(NOT SQLite3_FOUND)
            message(FATAL_ERROR
                "quicchat::sqlite needs SQLite 3.37 or newer with its headers and did not find it.\n"
                "  Install it: apt-get install libsqlite3-dev\n"
                "  or have it built as well: -DQUICCHAT_BUNDLED_SQLITE=ON\n"
                "  or do without rooms and accounts on disk: -DQUICCHAT_SQLITE=OFF")
        endif()
    endif()
endmacro()

function(quicchat_unpack_nlohmann_json work_dir prefix log)
    set(root "json-3.11.3")
    quicchat_unpack(nlohmann_json "${work_dir}" source "${root}/include" "${root}/LICENSE.MIT")
    file(COPY "${source}/include" DESTINATION "${prefix}")
    file(COPY "${source}/LICENSE.MIT" DESTINATION "${prefix}/share/licenses/nlohmann-json")
    file(WRITE "${log}" "")
endfunction()

# Makes nlohmann_json::nlohmann_json. QUICCHAT_JSON_PREFIX is set if it came from the archive.
macro(quicchat_provide_nlohmann_json)
    set(QUICCHAT_JSON_PREFIX)
    if(NOT TARGET nlohmann_json::nlohmann_json)
        find_package(nlohmann_json 3.10.5 CONFIG QUIET HINTS ${QUICCHAT_DEPS_PREFIX} GLOBAL)
    endif()
    if(NOT TARGET nlohmann_json::nlohmann_json)
        quicchat_pin_field(nlohmann_json SHA256 quicchat_inputs)
        quicchat_cached_prefix(nlohmann_json "${quicchat_inputs}" quicchat_unpack_nlohmann_json
            QUICCHAT_JSON_PREFIX)
        add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED GLOBAL)
        target_include_directories(nlohmann_json::nlohmann_json INTERFACE
            "${QUICCHAT_JSON_PREFIX}/include")
    endif()
endmacro()

function(quicchat_build_catch2 work_dir prefix log)
    quicchat_unpack(catch2 "${work_dir}" source)
    quicchat_build_project("Catch2" "${source}" "${work_dir}/build" "${prefix}" "${log}"
        OPTIONS -DCMAKE_CXX_STANDARD=20 -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=24
            -DCATCH_INSTALL_DOCS=OFF -DCATCH_DEVELOPMENT_BUILD=OFF)
endfunction()

# Makes Catch2::Catch2WithMain and the module Catch (catch_discover_tests).
macro(quicchat_provide_catch2)
    find_package(Catch2 3.3 CONFIG QUIET HINTS ${QUICCHAT_DEPS_PREFIX})
    if(NOT TARGET Catch2::Catch2WithMain)
        quicchat_compiler_inputs(CXX quicchat_inputs)
        quicchat_pin_field(catch2 SHA256 quicchat_hash)
        quicchat_cached_prefix(catch2 "${quicchat_inputs};${quicchat_hash}" quicchat_build_catch2
            quicchat_prefix)
        find_package(Catch2 3 CONFIG REQUIRED PATHS "${quicchat_prefix}" NO_DEFAULT_PATH)
    endif()
    include(Catch)
endmacro()
