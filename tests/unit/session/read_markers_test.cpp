#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/read_markers.hpp"

using namespace quicchat;

namespace {

/// What is to be said: "#a 3", "#a 3 shared".
std::vector<std::string> take(ReadMarkers& markers) {
    std::vector<std::string> all;
    while (const std::optional<ReadMarker> marker = markers.poll()) {
        all.push_back(marker->room + " " + std::to_string(marker->offset) +
                      (marker->shared ? " shared" : ""));
    }
    return all;
}

using Said = std::vector<std::string>;
constexpr Epoch epoch{7};

}  // namespace

TEST_CASE("read markers", "[session]") {
    ReadMarkers markers;

    SECTION("are said once, the newest of each room") {
        markers.note({"#b", epoch, 1, false});
        markers.note({"#a", epoch, 2, false});
        markers.note({"#A", epoch, 3, true});
        CHECK(take(markers) == Said{"#A 3 shared", "#b 1"});
        CHECK(take(markers).empty());
    }
    SECTION("go only up") {
        markers.note({"#a", epoch, 5, false});
        CHECK(take(markers) == Said{"#a 5"});
        markers.note({"#a", epoch, 5, true});
        markers.note({"#a", epoch, 4, false});
        CHECK(take(markers).empty());
        markers.note({"#a", epoch, 6, false});
        CHECK(take(markers) == Said{"#a 6"});
    }
    SECTION("are said again on the next connection") {
        markers.note({"#a", epoch, 5, false});
        markers.note({"@bob", epoch, 6, false});
        (void)take(markers);
        markers.begin_again();
        markers.note({"#a", epoch, 7, false});
        CHECK(take(markers) == Said{"#a 7", "@bob 6"});
        CHECK(take(markers).empty());
    }
    SECTION("say nothing about another log") {
        markers.note({"#a", epoch, 5, false});
        (void)take(markers);
        markers.note({"#A", Epoch{8}, 1, false});
        CHECK(take(markers) == Said{"#A 1"});
    }
    SECTION("are of so many rooms only") {
        for (int i = 0; i < 5000; ++i) markers.note({"#" + std::to_string(i), epoch, 1, false});
        CHECK(take(markers).size() <= 1000);
        markers.begin_again();
        CHECK(take(markers).size() == 1000);
    }
}
