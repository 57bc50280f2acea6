#pragma once

// What every model of `Transport` promises, checked. To check another model:
//
//   1. write a fixture: see `TransportFixture` in harness.hpp, and memory_transport_test.cpp for
//      an example. It makes one server and clients of it, and its `step()` drives them by nothing
//      but `next_deadline` and `handle_timeout`;
//   2. in `<model>_transport_test.cpp`:
//
//      TEST_CASE("the … transport keeps its promises", "[conformance][…]") {
//          quicchat::conformance::check_transport<MyFixture>();
//      }
//
// One group alone: `-c "back-pressure"`. `QUICCHAT_SEED=… ` repeats a random run.

#include "conformance/connections.hpp"
#include "conformance/flow_control.hpp"
#include "conformance/harness.hpp"
#include "conformance/streams.hpp"

namespace quicchat::conformance {

template <TransportFixture F>
void check_transport() {
    SECTION("connecting") { check_connecting<F>(); }
    SECTION("closing") { check_closing<F>(); }
    SECTION("unknown connections") { check_unknown_connections<F>(); }
    SECTION("channel binding") { check_channel_binding<F>(); }
    SECTION("datagrams") { check_datagrams<F>(); }
    SECTION("driving") { check_driving<F>(); }
    SECTION("streams") { check_streams<F>(); }
    SECTION("ends of streams") { check_ends_of_streams<F>(); }
    SECTION("resets") { check_resets<F>(); }
    SECTION("stream limit") { check_stream_limit<F>(); }
    SECTION("credit") { check_credit<F>(); }
    SECTION("what is kept") { check_unacknowledged<F>(); }
    SECTION("credit of ended streams") { check_credit_of_ended_streams<F>(); }
    SECTION("back-pressure") { check_back_pressure<F>(); }
}

}  // namespace quicchat::conformance
