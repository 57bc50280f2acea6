#pragma once

#include "quicchat/base/bytes.hpp"

#include <utility>

#include "quicchat/base/config.hpp"

namespace quicchat {

QUICCHAT_DECL Bytes::Bytes(Buffer buffer) {
    if (buffer.empty()) return;
    auto owner = std::make_shared<const Buffer>(std::move(buffer));
    view_ = BytesView{*owner};
    owner_ = std::move(owner);
}

QUICCHAT_DECL Bytes Bytes::copy_of(BytesView view) {
    Bytes copy;
    if (view.empty()) return copy;
    auto owner = std::make_shared<const Buffer>(view.begin(), view.end());
    copy.view_ = BytesView{*owner};
    copy.owner_ = std::move(owner);
    return copy;
}

QUICCHAT_DECL Bytes Bytes::from(std::size_t offset) const {
    Bytes rest = *this;
    rest.view_ = view_.subspan(offset);
    return rest;
}

QUICCHAT_DECL Bytes Bytes::first(std::size_t count) const {
    Bytes head = *this;
    head.view_ = view_.first(count);
    return head;
}

QUICCHAT_DECL Bytes Bytes::detached() const {
    Bytes own;
    if (empty()) return own;
    auto counted = std::make_shared<const std::shared_ptr<const Buffer>>(owner_);
    own.owner_ = {counted, owner_.get()};
    own.view_ = view_;
    return own;
}

QUICCHAT_DECL BytesView as_bytes(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

QUICCHAT_DECL std::string_view as_text(BytesView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

QUICCHAT_DECL void append(Buffer& buffer, BytesView bytes) {
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}

}  // namespace quicchat
