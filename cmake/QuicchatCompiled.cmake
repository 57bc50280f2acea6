# quicchat::compiled: the bodies of the library's functions, compiled once for a whole project.
#
#   target_link_libraries(my_program PRIVATE quicchat::quic quicchat::compiled)
#
# Compiled in the project that uses it, also from an installed package: then it has that project's
# compiler, standard, sanitizers and debug checks, and what is installed fits every machine. It is
# built only if something links it.
function(quicchat_add_compiled_library)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/quicchat_compiled")
    # Where the headers' targets are: of one's own tree, or imported from a package.
    add_library(quicchat_compiled STATIC EXCLUDE_FROM_ALL)
    add_library(quicchat::compiled ALIAS quicchat_compiled)
    set_target_properties(quicchat_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(quicchat_compiled PUBLIC QUICCHAT_COMPILED)
    target_link_libraries(quicchat_compiled PUBLIC quicchat::core)
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
