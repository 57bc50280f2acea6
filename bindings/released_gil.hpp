#pragma once

#include <cxxabi.h>
#include <Python.h>
#include <unistd.h>

namespace quicchat::python {

/// Lets other threads of Python run as long as it lives. While the interpreter ends, CPython before
/// 3.14 ends a thread that wants to have the GIL again, by unwinding its stack. That must not go
/// through destructors, and nothing here may touch objects of Python then: such a thread stops
/// here until the process has ended, as in CPython 3.14.
class ReleasedGil {
public:
    ReleasedGil() : state_(PyEval_SaveThread()) {}
    ReleasedGil(const ReleasedGil&) = delete;
    ReleasedGil& operator=(const ReleasedGil&) = delete;
    ~ReleasedGil() {
        try {
            PyEval_RestoreThread(state_);
        } catch (abi::__forced_unwind&) {
            while (true) pause();
        }
    }

private:
    PyThreadState* state_;
};

}  // namespace quicchat::python
