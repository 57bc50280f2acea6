# quicchat::compiled: the bodies of the library's functions, compiled once for a whole project.
#
#   target_link_libraries(my_program PRIVATE quicchat::quic quicchat::compiled)
#
# Compiled in the project that uses it, also from an installed package: then it has that project's
# compiler, standard, sanitizers and debug checks, and what is installed fits every machine. It is
# built only if something links it. A program that uses only the core needs the libraries of the
# other parts neither when it is linked statically nor when it starts.
#
# QUICCHAT_COMPILED_LIBRARY names the archive of another build with the same compiler, flags and
# definitions, which is linked then and not compiled again.
function(quicchat_add_compiled_library)
    if(QUICCHAT_COMPILED_LIBRARY)
        add_library(quicchat_compiled STATIC IMPORTED GLOBAL)
        set_target_properties(quicchat_compiled PROPERTIES
            IMPORTED_LOCATION "${QUICCHAT_COMPILED_LIBRARY}")
        target_compile_definitions(quicchat_compiled INTERFACE QUICCHAT_COMPILED)
    else()
        quicchat_compile_library()
    endif()
    add_library(quicchat::compiled ALIAS quicchat_compiled)
    set(interface quicchat::core)
    if(TARGET quicchat::quic)
        quicchat_link_if_used(quicchat::transport_libraries items)
        list(APPEND interface ${items})
    endif()
    if(TARGET quicchat::sqlite)
        quicchat_link_if_used(SQLite::SQLite3 items)
        list(APPEND interface ${items})
    endif()
    # In the place of what private links say of it.
    set_property(TARGET quicchat_compiled PROPERTY INTERFACE_LINK_LIBRARIES ${interface})
endfunction()

function(quicchat_compile_library)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/quicchat_compiled")
    add_library(quicchat_compiled STATIC EXCLUDE_FROM_ALL)
    set_target_properties(quicchat_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(quicchat_compiled PUBLIC QUICCHAT_COMPILED)
    # Where the headers' targets are: of one's own tree, or imported from a package.
    foreach(part IN ITEMS core quic sqlite)
        if(TARGET quicchat::${part})
            set(header src_${part}.hpp)
            if(part STREQUAL "core")
                set(header src.hpp)
            endif()
            file(CONFIGURE OUTPUT "${folder}/${part}.cpp"
                CONTENT "#include <quicchat/${header}>\n")
            target_sources(quicchat_compiled PRIVATE "${folder}/${part}.cpp")
            # Private: who needs the part's own headers links the part as well.
            target_link_libraries(quicchat_compiled PRIVATE quicchat::${part})
        endif()
    endforeach()
endfunction()

# What to link behind the static library, so that a program needs the shared libraries of `target`
# only if it uses one of them. Static libraries are like that by themselves.
function(quicchat_link_if_used target out)
    set(${out} "$<LINK_ONLY:${target}>" PARENT_SCOPE)
    if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
        return() # other linkers spell it otherwise
    endif()
    set(files)
    get_target_property(location ${target} IMPORTED_LOCATION)
    if(location)
        set(files "${location}")
    endif()
    get_target_property(others ${target} INTERFACE_LINK_LIBRARIES)
    if(others)
        list(APPEND files ${others})
    endif()
    if(NOT files MATCHES "\\.so")
        return()
    endif()
    set(items)
    foreach(file IN LISTS files)
        if(file MATCHES "\\.so[.0-9]*$")
            # One item, which CMake keeps together and behind the static library.
            list(APPEND items "-Wl,--push-state,--as-needed,${file},--pop-state")
        else()
            list(APPEND items "$<LINK_ONLY:${file}>")
        endif()
    endforeach()
    set(${out} ${items} PARENT_SCOPE)
endfunction()
