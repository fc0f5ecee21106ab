#include "delivery/lane.hpp"

#include "delivery/verdict.hpp"

#include <algorithm>

namespace openrd::delivery {
namespace {

constexpr std::size_t claimed_at_once = 20;
// Nothing is begun with so little left of its lease: the risk probe takes up to five seconds, then a try up to ten, and Kannel's two more.
constexpr std::int64_t one_try_ms = 18 * base::second_ms;
// What is claimed is begun with in about that time, so that other servers see what this one does not come to.
constexpr std::int64_t foresight_ns = 5'000'000'000;

}  // namespace

Lane::Lane(Channel& channel, const keys::Ring& ring, const base::Clock& clock, unsigned workers, std::function<void(Finished)> finished)
    : channel_(channel), ring_(ring), clock_(clock), workers_(std::max(workers, 1U)), finished_(std::move(finished)) {}

void Lane::start() {
    if (!threads_.empty()) return;
    for (unsigned i = 0; i < workers_; ++i) threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
}

void Lane::request_stop() {
    for (auto& thread : threads_) thread.request_stop();
}

void Lane::stop() {
    request_stop();
    threads_.clear();  // joins
    std::deque<Job> rest;
    {
        const std::lock_guard lock(mutex_);
        rest.swap(waiting_);
    }
    for (auto& job : rest) finished_({.job = std::move(job), .begun = false, .result = {}});
}

void Lane::push(Job job) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
    pushed_.notify_one();
}

std::size_t Lane::pending() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() + under_way_;
}

std::size_t Lane::room() const {
    const std::lock_guard lock(mutex_);
    auto most = claimed_at_once;
    if (usual_ns_ > 0) most = std::clamp(static_cast<std::size_t>(workers_ * foresight_ns / usual_ns_), static_cast<std::size_t>(workers_), claimed_at_once);
    const auto taken = waiting_.size() + under_way_;
    return taken < most ? most - taken : 0;
}

void Lane::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (pushed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
        if (stop.stop_requested()) return;
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        ++under_way_;
        lock.unlock();
        auto finished = work(std::move(job), stop);
        // First told, then counted out: who finds the lane idle has been told everything.
        finished_(std::move(finished));
        lock.lock();
        --under_way_;
    }
}

Finished Lane::work(Job job, const std::stop_token& stop) {
    const auto begun_ns = base::monotonic_ns();
    const bool question = job.message.state == store::message_unknown;
    const bool late = begun_ns - job.claimed_ns > (lease_ms - one_try_ms) * 1'000'000;
    const auto now_ms = clock_.now_ms();
    if (late || (!question && now_ms >= deadline_ms(job.message))) return {.job = std::move(job), .begun = false, .result = {}};
    auto result = question ? ask(job.message, job.to, channel_) : send_once(ring_, job.message, job.to, channel_, now_ms, stop);
    measure(base::monotonic_ns() - begun_ns);
    return {.job = std::move(job), .begun = true, .result = std::move(result)};
}

void Lane::measure(std::int64_t took_ns) {
    const std::lock_guard lock(mutex_);
    usual_ns_ = usual_ns_ == 0 ? took_ns : (usual_ns_ * 7 + took_ns) / 8;
}

}  // namespace openrd::delivery
