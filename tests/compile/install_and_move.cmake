# Installs the build in BUILD_DIR and moves the result to PREFIX. Fails if a text file of it names
# one of the FORBIDDEN folders.
file(REMOVE_RECURSE "${PREFIX}" "${PREFIX}.first")
execute_process(
    COMMAND "${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${PREFIX}.first"
        --component development
    COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
file(RENAME "${PREFIX}.first" "${PREFIX}")

file(GLOB_RECURSE files "${PREFIX}/*.cmake" "${PREFIX}/*.pc" "${PREFIX}/*.hpp")
foreach(file IN LISTS files)
    file(READ "${file}" text)
    foreach(folder IN LISTS FORBIDDEN)
        string(FIND "${text}" "${folder}" position)
        if(folder AND NOT position EQUAL -1)
            message(FATAL_ERROR "${file} names ${folder}")
        endif()
    endforeach()
endforeach()
