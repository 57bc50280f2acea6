#include <chrono>

#include "bind.hpp"
#include "engine.hpp"
#include "released_gil.hpp"

// Not tagged as free of the GIL: the objects are thread-safe, but nobody has run them under
// ThreadSanitizer on a free-threaded Python yet.
PYBIND11_MODULE(_core, m) {
    using namespace quicchat::python;
    m.doc() = "The C++ core of quicchat. Private: use the package quicchat.";
    m.attr("version") = QUICCHAT_VERSION;
    bind_errors(m);
    bind_tools(m);
    bind_client(m);
    bind_server(m);
    bind_memory(m);
    bind_accounts(m);
    bind_probe(m);
    m.def(
        "shutdown",
        [](double patience) {
            Engine* const engine = Engine::retire();
            if (engine == nullptr) return true;
            const ReleasedGil other_threads_may_run;
            return engine->stop(std::chrono::milliseconds{static_cast<long>(patience * 1000)});
        },
        py::arg("patience") = 2.0,
        "Ends the engine thread, waiting at most `patience` seconds. False if it did not stop.");
    hide_values(m);
}
