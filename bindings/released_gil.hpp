#pragma once

#include <Python.h>

namespace quicchat::python {

/// Waits for the GIL and takes it. While the interpreter ends, CPython before 3.14 ends a thread
/// that wants it, by unwinding its stack. That must not go through destructors, and nothing here
/// may touch objects of Python then: such a thread stops here until the process has ended, as in
/// CPython 3.14.
void take_gil_again(PyThreadState* state);

/// Lets other threads of Python run as long as it lives.
class ReleasedGil {
public:
    ReleasedGil() : state_(PyEval_SaveThread()) {}
    ReleasedGil(const ReleasedGil&) = delete;
    ReleasedGil& operator=(const ReleasedGil&) = delete;
    ~ReleasedGil() { take_gil_again(state_); }

private:
    PyThreadState* state_;
};

}  // namespace quicchat::python
