#include "db/changes.hpp"

#include <bit>

namespace openrd::db {

std::size_t Changes::index_of(Topic topic) { return static_cast<std::size_t>(std::countr_zero(static_cast<std::uint8_t>(topic))); }

void Changes::announce(std::uint8_t topics) {
    end_epoch();
    for (std::size_t i = 0; i < generations_.size(); ++i)
        if ((topics >> i & 1U) != 0) generations_[i].fetch_add(1, std::memory_order_acq_rel);
}

void Changes::on_commit(Topic topic, std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    auto list = std::make_shared<List>(*waiting_);
    list->push_back({topic, std::move(wake)});
    waiting_ = std::move(list);
}

void Changes::wake(std::uint8_t topics) const {
    if (topics == 0) return;
    std::shared_ptr<const List> list;
    {
        const std::lock_guard lock(mutex_);
        list = waiting_;
    }
    for (const Waiting& waiting : *list)
        if ((topics & static_cast<std::uint8_t>(waiting.topic)) != 0) waiting.wake();
}

}  // namespace openrd::db
