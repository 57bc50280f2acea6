# Builds dependencies once per machine instead of once per build tree. A result lies under
# QUICCHAT_CACHE_DIR in a folder named after everything that went into it, so that `pip install`,
# tests and examples share it and a change of any input makes a new one.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/QuicchatArchives.cmake")

function(quicchat_choose_cache_dir out)
    if(DEFINED ENV{QUICCHAT_CACHE_DIR})
        set(folder "$ENV{QUICCHAT_CACHE_DIR}")
    elseif(DEFINED ENV{XDG_CACHE_HOME} AND IS_ABSOLUTE "$ENV{XDG_CACHE_HOME}")
        set(folder "$ENV{XDG_CACHE_HOME}/quicchat")
    else()
        set(folder "$ENV{HOME}/.cache/quicchat")
    endif()
    # Build daemons may have no home, or one that they cannot write to.
    execute_process(COMMAND "${CMAKE_COMMAND}" -E make_directory "${folder}/archives"
        RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    if(code EQUAL 0)
        execute_process(COMMAND "${CMAKE_COMMAND}" -E touch "${folder}/archives/.writable"
            RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    endif()
    if(NOT code EQUAL 0)
        set(folder "${PROJECT_BINARY_DIR}/quicchat-cache")
    endif()
    set(${out} "${folder}" PARENT_SCOPE)
endfunction()

# Runs one command with its output in `log`; with ECHO also on the terminal. On failure prints the
# end of the log and stops.
function(quicchat_run_step description log)
    cmake_parse_arguments(PARSE_ARGV 2 step "ECHO" "" "COMMAND")
    message(STATUS "quicchat: ${description}")
    set(echo)
    if(step_ECHO)
        set(echo ECHO_OUTPUT_VARIABLE ECHO_ERROR_VARIABLE)
    endif()
    execute_process(COMMAND ${step_COMMAND}
        RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output ${echo})
    file(APPEND "${log}" "== ${description}\n${output}\n")
    if(NOT code EQUAL 0)
        string(LENGTH "${output}" length)
        if(length GREATER 6000)
            math(EXPR start "${length} - 6000")
            string(SUBSTRING "${output}" ${start} -1 output)
        endif()
        message(FATAL_ERROR
            "${description}: failed (${code}). The end of its output:\n\n${output}\n"
            "The whole log: ${log}")
    endif()
endfunction()

# Sets `out` to the prefix of dependency `label`. If the cache has none for `inputs`, calls the
# function `builder(work_dir install_dir log)` to fill one.
function(quicchat_cached_prefix label inputs builder out)
    string(SHA256 key "${inputs}")
    string(SUBSTRING "${key}" 0 16 key)
    set(prefix "${QUICCHAT_CACHE_DIR}/${label}-${key}")
    set(${out} "${prefix}" PARENT_SCOPE)
    if(EXISTS "${prefix}")
        return()
    endif()

    set(lock "${QUICCHAT_CACHE_DIR}/${label}-${key}.lock")
    file(LOCK "${lock}" GUARD FUNCTION TIMEOUT 0 RESULT_VARIABLE busy)
    if(NOT busy EQUAL 0)
        message(STATUS "quicchat: waiting for another build of ${label}")
        file(LOCK "${lock}" GUARD FUNCTION TIMEOUT 1800 RESULT_VARIABLE busy)
        if(NOT busy EQUAL 0)
            message(FATAL_ERROR
                "Another process has been building ${label} for half an hour, or hangs. "
                "When none is running, delete ${lock}")
        endif()
    endif()
    if(EXISTS "${prefix}") # made while we waited
        return()
    endif()

    set(work "${QUICCHAT_CACHE_DIR}/${label}-${key}.work")
    file(REMOVE_RECURSE "${work}")
    file(MAKE_DIRECTORY "${work}")
    cmake_language(CALL ${builder} "${work}" "${work}/prefix" "${work}/build.log")
    # The rename comes last and is atomic: a prefix that exists is complete.
    file(RENAME "${work}/build.log" "${work}/prefix/build.log")
    file(RENAME "${work}/prefix" "${prefix}")
    file(REMOVE_RECURSE "${work}")
endfunction()

# Unpacks the archive `name` into `work_dir`, only the given members if there are any, and sets
# `out` to the folder that the archive holds.
function(quicchat_unpack name work_dir out)
    quicchat_obtain_archive(${name} archive)
    quicchat_pin_field(${name} TITLE title)
    message(STATUS "quicchat: unpacking ${title}")
    set(folder "${work_dir}/${name}")
    file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${folder}" PATTERNS ${ARGN})
    file(GLOB children "${folder}/*")
    list(LENGTH children count)
    if(NOT count EQUAL 1)
        message(FATAL_ERROR "${archive} does not hold exactly one folder.")
    endif()
    set(${out} "${children}" PARENT_SCOPE)
endfunction()

# Configures, builds and installs a CMake project with the compilers of this build.
function(quicchat_build_project title source build_dir prefix log)
    cmake_parse_arguments(PARSE_ARGV 5 nested "" "" "OPTIONS")
    set(generator "Unix Makefiles")
    if(CMAKE_GENERATOR MATCHES "Ninja")
        set(generator "Ninja")
    endif()
    set(arguments -G "${generator}" "-DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}"
        "-DCMAKE_INSTALL_PREFIX=${prefix}" -DCMAKE_INSTALL_LIBDIR=lib
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON)
    foreach(variable IN ITEMS CMAKE_C_COMPILER CMAKE_CXX_COMPILER CMAKE_C_FLAGS CMAKE_CXX_FLAGS
            CMAKE_TOOLCHAIN_FILE CMAKE_SYSROOT CMAKE_OSX_ARCHITECTURES CMAKE_OSX_DEPLOYMENT_TARGET)
        if(${variable})
            list(APPEND arguments "-D${variable}=${${variable}}")
        endif()
    endforeach()
    if(DEFINED ENV{CMAKE_BUILD_PARALLEL_LEVEL})
        set(jobs "$ENV{CMAKE_BUILD_PARALLEL_LEVEL}")
    else()
        cmake_host_system_information(RESULT jobs QUERY NUMBER_OF_LOGICAL_CORES)
    endif()
    quicchat_run_step("configuring ${title}" "${log}"
        COMMAND "${CMAKE_COMMAND}" -S "${source}" -B "${build_dir}" ${arguments} ${nested_OPTIONS})
    quicchat_run_step("building ${title}, once per machine (a minute or two)" "${log}" ECHO
        COMMAND "${CMAKE_COMMAND}" --build "${build_dir}" --parallel ${jobs})
    quicchat_run_step("installing ${title} into the cache" "${log}"
        COMMAND "${CMAKE_COMMAND}" --install "${build_dir}")
endfunction()
