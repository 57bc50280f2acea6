#include "python_records.hpp"

#include <datetime.h>

#include <chrono>
#include <stdexcept>

#include "client_events.hpp"
#include "convert.hpp"
#include "frozen_maker.hpp"
#include "quicchat/base/hex.hpp"

namespace quicchat::python {
namespace {

/// A value that one message after another has: it becomes one object of Python.
template <class Value>
class Repeated {
public:
    py::object of(const Value& value) {
        if (!made_ || value != value_) {
            made_ = to_python(value);
            value_ = value;
        }
        return made_;
    }

private:
    static py::object to_python(const std::string& text) {
        return python::to_python(std::string_view{text});
    }
    static py::object to_python(Epoch epoch) { return python::to_python(epoch); }

    Value value_{};
    py::object made_;
};

struct RecordTypes {
    FrozenMaker<12> message;
    FrozenMaker<5> receipt;
    py::type attributes;
    py::object no_attributes;
    py::type file;
    Repeated<std::string> room{};
    Repeated<Epoch> epoch{};
    Repeated<std::string> sender{};
};

/// Guarded by the GIL. Never destroyed: the interpreter may have ended before.
RecordTypes* record_types = nullptr;

RecordTypes& types() {
    if (record_types == nullptr) throw std::logic_error("use_record_types was not called");
    return *record_types;
}

py::object number_or_none(Offset offset) {
    return offset == 0 ? py::object{py::none()} : py::object{py::int_{offset}};
}

}  // namespace

void prepare_datetimes() {
    PyDateTime_IMPORT;
    if (PyDateTimeAPI == nullptr) throw py::error_already_set{};
}

void use_record_types(const py::type& message, const py::type& receipt, const py::type& attributes,
                      const py::object& no_attributes, const py::type& file) {
    record_types = new RecordTypes{
        {message,
         {"room", "epoch", "offset", "time", "id", "sender", "text", "attributes", "reply_to",
          "edited", "deleted", "file"}},
        {receipt, {"epoch", "offset", "id", "durability", "time"}},
        attributes,
        no_attributes,
        file};
}

py::object to_datetime(WallTime time) {
    using namespace std::chrono;
    constexpr WallTime first = sys_days{year_month_day{year{1}, January, 1d}};
    constexpr WallTime end = sys_days{year_month_day{year{9999}, December, 31d}} + days{1};
    const auto make = [](const year_month_day& date, int hour, int minute, int second, int micro) {
        PyObject* const made = PyDateTimeAPI->DateTime_FromDateAndTime(
            int{date.year()}, static_cast<int>(unsigned{date.month()}),
            static_cast<int>(unsigned{date.day()}), hour, minute, second, micro,
            PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType);
        if (made == nullptr) throw py::error_already_set{};
        return py::reinterpret_steal<py::object>(made);
    };
    if (time < first || time >= end) {
        return make({year{9999}, December, 31d}, 23, 59, 59, 999'999);
    }
    const auto day = floor<days>(time);
    const hh_mm_ss clock{time - day};
    return make(year_month_day{day}, static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()) * 1000);
}

py::object to_message(const RoomMessage& m) {
    RecordTypes& t = types();
    const auto text = [](const std::string& s) { return to_python(std::string_view{s}); };
    const bool is_plain = m.attributes == "{}";
    const py::object file =
        m.file ? py::object{t.file(m.file->size, text(m.file->digest))} : py::object{py::none()};
    return t.message.make(t.room.of(m.room), t.epoch.of(m.epoch), py::int_{m.offset},
                          to_datetime(m.time), to_python(m.id), t.sender.of(m.from), text(m.text),
                          is_plain ? t.no_attributes : py::object{t.attributes(text(m.attributes))},
                          number_or_none(m.reply_to), py::bool_{m.changed_by != 0 && !m.deleted},
                          py::bool_{m.deleted}, file);
}

py::object to_receipt(const Acked& acked) {
    return types().receipt.make(to_python(acked.epoch), py::int_{acked.offset}, to_python(acked.id),
                                to_python(durability_name(acked.durability)),
                                to_datetime(acked.time));
}

}  // namespace quicchat::python
