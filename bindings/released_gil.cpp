// Compiled without exceptions, so that pthread_cleanup_push keeps a place to jump to. The thread is
// stopped there before anything looks at the frames of C++ above. A handler for
// abi::__forced_unwind would do only where this module and the C library share one unwinder, and a
// wheel has its own.
#include "released_gil.hpp"

#include <pthread.h>
#include <unistd.h>

#ifdef __EXCEPTIONS
#error "compile this file with -fno-exceptions"
#endif

namespace quicchat::python {
namespace {

void stop_here(void*) {
    while (true) pause();
}

}  // namespace

void take_gil_again(PyThreadState* state) {
    pthread_cleanup_push(stop_here, nullptr);
    PyEval_RestoreThread(state);
    pthread_cleanup_pop(0);
}

}  // namespace quicchat::python
