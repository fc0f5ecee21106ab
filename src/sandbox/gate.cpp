#include "sandbox/gate.hpp"

namespace openrd::sandbox {

void Gate::handle(const pipeline::Request& request, pipeline::Done done) {
    passing_.fetch_add(1);
    if (closed_.load()) {
        passing_.fetch_sub(1);
        const std::lock_guard lock(mutex_);
        if (closed_.load()) {
            waiting_.push_back({request, std::move(done)});
            return;
        }
        passing_.fetch_add(1);
    }
    next_.handle(request, std::move(done));
    passing_.fetch_sub(1);
}

void Gate::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void Gate::open() {
    std::vector<Waiting> waiting;
    {
        const std::lock_guard lock(mutex_);
        closed_ = false;
        waiting.swap(waiting_);
    }
    for (auto& one : waiting) next_.handle(one.request, std::move(one.done));
}

}  // namespace openrd::sandbox
