#pragma once

#include "quicchat/shards/link.hpp"

#include <iterator>

namespace quicchat::shards {

QUICCHAT_DECL Link::Link(std::shared_ptr<const WakeFd> chat) : chat_(std::move(chat)) {}

QUICCHAT_DECL void Link::post(std::vector<Command>& commands) {
    bool was_empty = false;
    {
        const std::lock_guard lock{mutex_};
        was_empty = waiting_batches_ == 0;
        if (commands_.empty()) {
            commands_.swap(commands);
        } else {
            commands_.insert(commands_.end(), std::move_iterator{commands.begin()},
                             std::move_iterator{commands.end()});
        }
        ++waiting_batches_;
    }
    commands.clear();
    ++posted_;
    if (was_empty) shard_.wake();
}

QUICCHAT_DECL void Link::take_news(std::vector<News>& taken) {
    const std::lock_guard lock{mutex_};
    if (taken.empty()) return taken.swap(news_);
    taken.insert(taken.end(), std::move_iterator{news_.begin()}, std::move_iterator{news_.end()});
    news_.clear();
}

QUICCHAT_DECL void Link::run(const std::function<void(CarrierPort&)>& action) {
    std::unique_lock lock{mutex_};
    if (!has_thread_) {
        CarrierPort* carrier = carrier_;
        lock.unlock();
        if (carrier != nullptr) action(*carrier);
        return;
    }
    std::atomic<bool> done{false};
    calls_.emplace_back([&](CarrierPort& carrier) {
        action(carrier);
        done = true;
    });
    shard_.wake();
    called_.wait(lock, [&] { return done.load() || carrier_ == nullptr; });
}

QUICCHAT_DECL void Link::post_call(std::function<void(CarrierPort&)> action) {
    {
        const std::lock_guard lock{mutex_};
        calls_.push_back(std::move(action));
        ++waiting_batches_;
    }
    ++posted_;
    shard_.wake();
}

QUICCHAT_DECL void Link::set_carrier(CarrierPort* carrier) {
    const std::lock_guard lock{mutex_};
    carrier_ = carrier;
    if (carrier == nullptr) calls_.clear();
    called_.notify_all();
}

QUICCHAT_DECL void Link::begin_thread() {
    const std::lock_guard lock{mutex_};
    has_thread_ = true;
}

QUICCHAT_DECL void Link::end_thread() {
    std::unique_lock lock{mutex_};
    do_calls(lock);
    has_thread_ = false;
}

QUICCHAT_DECL void Link::do_calls(std::unique_lock<std::mutex>& lock) {
    while (!calls_.empty() && carrier_ != nullptr) {
        const auto calls = std::exchange(calls_, {});
        CarrierPort& carrier = *carrier_;
        lock.unlock();
        for (const auto& call : calls) call(carrier);
        lock.lock();
        called_.notify_all();
    }
}

QUICCHAT_DECL void Link::take_commands(std::vector<Command>& taken) {
    shard_.calm();
    std::unique_lock lock{mutex_};
    do_calls(lock);
    taken.clear();
    taken.swap(commands_);
    taken_ += std::exchange(waiting_batches_, 0);
}

QUICCHAT_DECL void Link::post_news(std::vector<News>& news, std::uint64_t released, bool farewell) {
    released_.store(released, std::memory_order_release);
    const bool is_said = farewell_.exchange(farewell, std::memory_order_acq_rel) && !farewell;
    done_.store(taken_, std::memory_order_release);
    if (news.empty() && !is_said) return;
    bool was_empty = false;
    {
        const std::lock_guard lock{mutex_};
        was_empty = news_.empty();
        if (was_empty) {
            news_.swap(news);
        } else {
            news_.insert(news_.end(), std::move_iterator{news.begin()},
                         std::move_iterator{news.end()});
        }
    }
    news.clear();
    if (was_empty) chat_->wake();
}

QUICCHAT_DECL bool Link::is_read() const {
    const std::lock_guard lock{mutex_};
    return news_.empty();
}

QUICCHAT_DECL bool Link::has_commands() const {
    const std::lock_guard lock{mutex_};
    return waiting_batches_ != 0 || !calls_.empty();
}

}  // namespace quicchat::shards
