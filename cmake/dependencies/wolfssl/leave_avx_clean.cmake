# wolfSSL 5.9.2 leaves some functions that use ymm registers without vzeroupper. The upper halves
# then stay in use, and on some processors all SSE code of that thread, SHA and PBKDF2 among it,
# takes a hundred times longer until they are zeroed. tests/quic looks for such functions in what
# was built.
include_guard(GLOBAL)

# Zeroes the upper halves before every return of these functions, in place. Run again, changes
# nothing.
function(quicchat_leave_avx_clean file)
    file(READ "${file}" text)
    foreach(name IN LISTS ARGN)
        string(FIND "${text}" "\n${name}:\n" begin)
        string(FIND "${text}" ".size\t${name}," end)
        if(begin LESS 0 OR NOT end GREATER begin)
            message(FATAL_ERROR "${file} does not define ${name} as expected.")
        endif()
        math(EXPR length "${end} - ${begin}")
        string(SUBSTRING "${text}" 0 ${begin} before)
        string(SUBSTRING "${text}" ${begin} ${length} body)
        string(SUBSTRING "${text}" ${end} -1 after)
        string(REPLACE "        vzeroupper\n" "" body "${body}")
        string(REPLACE "        repz retq\n" "        vzeroupper\n        repz retq\n" body "${body}")
        if(NOT body MATCHES "vzeroupper")
            message(FATAL_ERROR "${file}: ${name} does not return as expected.")
        endif()
        set(text "${before}${body}${after}")
    endforeach()
    file(WRITE "${file}" "${text}")
endfunction()
