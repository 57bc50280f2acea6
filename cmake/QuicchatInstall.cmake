# `cmake --install`: headers, a CMake package and pkg-config files.
#
# If ngtcp2 and wolfSSL were built from archives, the static libraries and their headers go along
# into the private folder lib/quicchat, so that the installed package needs nothing else and no
# other program finds them by accident.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/quicchat")
set(private_dir "${CMAKE_INSTALL_LIBDIR}/quicchat")

# One export per component, so that a component whose libraries are missing harms no other.
foreach(component IN ITEMS Core Quic Sqlite)
    string(TOLOWER "${component}" name)
    if(TARGET quicchat_${name})
        install(TARGETS quicchat_${name} EXPORT quicchat${component}Targets
            FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)
        install(EXPORT quicchat${component}Targets NAMESPACE quicchat::
            DESTINATION "${package_dir}" COMPONENT development)
    endif()
endforeach()

# --- What the package carries, and where it looks for the rest ----------------------------------
# Values with an escaped ${...} are expanded at the user's, by CMake or by pkg-config.

set(transport_prefix "")
set(pc_transport_cflags "")
set(pc_transport_libs "")
set(pc_transport_requires "libngtcp2_crypto_wolfssl libngtcp2 wolfssl")
set(static_libraries "-lngtcp2_crypto_wolfssl -lngtcp2 -lwolfssl -pthread -lm")
if(QUICCHAT_TRANSPORT_ORIGIN STREQUAL "archives")
    install(DIRECTORY "${QUICCHAT_TRANSPORT_PREFIX}/include" "${QUICCHAT_TRANSPORT_PREFIX}/share"
        DESTINATION "${private_dir}" COMPONENT development)
    file(GLOB archive_files "${QUICCHAT_TRANSPORT_PREFIX}/lib/*.a")
    install(FILES ${archive_files} DESTINATION "${private_dir}/lib" COMPONENT development)
    set(transport_prefix "\${quicchat_prefix}/${private_dir}")
    set(pc_transport_cflags "-isystem \${prefix}/${private_dir}/include")
    set(pc_transport_libs "-L\${prefix}/${private_dir}/lib ${static_libraries}")
    set(pc_transport_requires "")
elseif(QUICCHAT_TRANSPORT_ORIGIN STREQUAL "prefix")
    set(transport_prefix "${QUICCHAT_TRANSPORT_PREFIX}")
    set(pc_transport_cflags "-isystem ${QUICCHAT_TRANSPORT_PREFIX}/include")
    set(pc_transport_libs "-L${QUICCHAT_TRANSPORT_PREFIX}/lib ${static_libraries}")
    set(pc_transport_requires "")
endif()

set(json_dir "")
set(pc_json_cflags "")
set(pc_json_requires "nlohmann_json")
if(QUICCHAT_JSON_PREFIX)
    install(DIRECTORY "${QUICCHAT_JSON_PREFIX}/include" "${QUICCHAT_JSON_PREFIX}/share"
        DESTINATION "${private_dir}/nlohmann-json" COMPONENT development)
    set(json_dir "\${quicchat_prefix}/${private_dir}/nlohmann-json/include")
    set(pc_json_cflags "-isystem \${prefix}/${private_dir}/nlohmann-json/include")
    set(pc_json_requires "")
endif()

# --- CMake package ------------------------------------------------------------------------------

configure_package_config_file(cmake/quicchatConfig.cmake.in
    "${PROJECT_BINARY_DIR}/quicchatConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/quicchatConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion) # until 1.0 a minor version may change the interface
install(
    FILES
        "${PROJECT_BINARY_DIR}/quicchatConfig.cmake"
        "${PROJECT_BINARY_DIR}/quicchatConfigVersion.cmake"
        cmake/QuicchatCompiled.cmake
        cmake/QuicchatTransportLibraries.cmake
        cmake/checks/transport_libraries.cpp
    DESTINATION "${package_dir}" COMPONENT development)

# --- pkg-config ---------------------------------------------------------------------------------

# The prefix is told relative to the file, so that an installed tree can be moved.
string(REGEX REPLACE "[^/]+" ".." way_up "${CMAKE_INSTALL_LIBDIR}")
set(pc_prefix "\${pcfiledir}/../${way_up}")

function(quicchat_install_pc package description requires cflags libs)
    configure_file(cmake/quicchat.pc.in "${PROJECT_BINARY_DIR}/${package}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${package}.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
endfunction()

quicchat_install_pc(quicchat "${PROJECT_DESCRIPTION}" "${pc_json_requires}"
    "-I\${prefix}/${CMAKE_INSTALL_INCLUDEDIR} ${pc_json_cflags}" "")
if(TARGET quicchat_quic)
    quicchat_install_pc(quicchat-quic "quicchat over ngtcp2 and wolfSSL"
        "quicchat ${pc_transport_requires}" "${pc_transport_cflags}" "${pc_transport_libs}")
endif()
if(TARGET quicchat_sqlite)
    quicchat_install_pc(quicchat-sqlite "quicchat with rooms and accounts in SQLite"
        "quicchat sqlite3 >= 3.37" "" "-pthread")
endif()
# For programs that compile quicchat/src.hpp and its likes in a file of their own.
quicchat_install_pc(quicchat-compiled "quicchat with its functions' bodies in one file of a program"
    "quicchat" "-DQUICCHAT_COMPILED" "")
