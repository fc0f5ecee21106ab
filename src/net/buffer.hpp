#pragma once
// The bytes of one connection: added at the end as they arrive, dropped at the front request by request. Memory is not
// zeroed, so pages that no request needs stay untouched, and it grows only with what really came in.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace openrd::net {

class Buffer {
  public:
    explicit Buffer(std::size_t capacity) : bytes_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}

    char* data() { return bytes_.get() + begin_; }
    std::size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    std::size_t capacity() const { return capacity_; }

    // Free space behind the bytes, `wanted` or more. Moves the bytes when it must: data() is another one then.
    std::span<char> room(std::size_t wanted) {
        if (capacity_ - end_ < wanted && begin_ > 0) {
            std::memmove(bytes_.get(), data(), size());
            end_ -= std::exchange(begin_, 0);
        }
        if (capacity_ - end_ < wanted) move_to(std::max(capacity_ * 2, end_ + wanted));
        return {bytes_.get() + end_, capacity_ - end_};
    }
    void added(std::size_t count) { end_ += count; }

    void drop_front(std::size_t count) {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    void keep_front(std::size_t count) { end_ = begin_ + count; }

    // Gives memory back that only a large request needed.
    void shrink(std::size_t capacity) {
        if (capacity_ > capacity && size() <= capacity) move_to(capacity);
    }

  private:
    void move_to(std::size_t capacity) {
        auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
        std::memcpy(bytes.get(), data(), size());
        end_ -= std::exchange(begin_, 0);
        bytes_ = std::move(bytes);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_, begin_ = 0, end_ = 0;
};

}  // namespace openrd::net
