# Finds ngtcp2, its wolfSSL helper and wolfSSL, and offers them as the target
# quicchat::transport_libraries. Installed with the package, so that quicchat's own build and
# find_package(quicchat COMPONENTS quic) agree on what they accept.
include_guard(GLOBAL)

# Looks under `prefix`, or where the compiler looks if that is empty. What is found must also
# compile and link a small program: the distributions' wolfSSL often lacks QUIC, which no header's
# existence tells. Sets `out_found`, and `out_problem` to the reason if it is false.
function(quicchat_import_transport_libraries prefix check_source out_found out_problem)
    set(${out_found} FALSE PARENT_SCOPE)
    set(hints)
    if(prefix)
        set(hints PATHS "${prefix}" NO_DEFAULT_PATH)
    endif()

    set(libraries)
    foreach(name IN ITEMS ngtcp2_crypto_wolfssl ngtcp2 wolfssl) # each needs the ones after it
        find_library(library NAMES ${name} PATH_SUFFIXES lib lib64 NO_CACHE ${hints})
        if(NOT library)
            set(${out_problem} "no library ${name}" PARENT_SCOPE)
            return()
        endif()
        list(APPEND libraries "${library}")
        unset(library)
    endforeach()
    set(includes)
    foreach(header IN ITEMS ngtcp2/ngtcp2_crypto_wolfssl.h wolfssl/options.h)
        find_path(include NAMES ${header} PATH_SUFFIXES include NO_CACHE ${hints})
        if(NOT include)
            set(${out_problem} "no header <${header}>" PARENT_SCOPE)
            return()
        endif()
        list(APPEND includes "${include}")
        unset(include)
    endforeach()
    list(REMOVE_DUPLICATES includes)

    find_package(Threads REQUIRED)
    set(system_libraries Threads::Threads m)
    if(APPLE)
        list(APPEND system_libraries "-framework Security" "-framework CoreFoundation")
    endif()

    string(SHA256 check_key "${libraries};${includes}")
    string(SUBSTRING "${check_key}" 0 12 check_key)
    set(check_result "QUICCHAT_TRANSPORT_LIBRARIES_WORK_${check_key}")
    if(NOT ${check_result})
        try_compile(${check_result} "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/quicchat-${check_key}"
            SOURCES "${check_source}"
            CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${includes}"
            LINK_LIBRARIES ${libraries} ${system_libraries}
            CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
            OUTPUT_VARIABLE output)
    endif()
    if(NOT ${check_result})
        string(REGEX MATCH "[^\n]*(error|undefined reference)[^\n]*" first_error "${output}")
        set(${out_problem} "${libraries} cannot carry quicchat: ${first_error}" PARENT_SCOPE)
        unset(${check_result} CACHE) # it may be repaired before the next run
        return()
    endif()

    if(NOT TARGET quicchat::transport_libraries)
        add_library(quicchat::transport_libraries INTERFACE IMPORTED GLOBAL)
        set_target_properties(quicchat::transport_libraries PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${includes}"
            INTERFACE_LINK_LIBRARIES "${libraries};${system_libraries}")
    endif()
    set(${out_found} TRUE PARENT_SCOPE)
endfunction()
