#pragma once
// What the sandbox's tests share: a database in a directory that goes away, requests, and answers that may come later.
#include "db/open.hpp"
#include "keys/ring.hpp"
#include "pipeline/handler.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace openrd::sandbox::testing {

class Database {
  public:
    Database() : engine_(db::open({.directory = directory_ + "/data", .create = true, .durable = false})) {}
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() {
        engine_->close();
        std::filesystem::remove_all(directory_);
    }
    std::string directory() const { return directory_ + "/data"; }
    db::Engine& operator*() { return *engine_; }
    db::Engine* operator->() { return engine_.get(); }

  private:
    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "sandbox_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    std::string directory_ = make_directory();
    std::unique_ptr<db::Engine> engine_;
};

inline keys::Ring some_ring() { return keys::Ring(base::Secret(std::string(32, 'k'))); }

// A request that keeps its own bytes.
struct Asking {
    std::string method = "GET", target = "/", body;
    std::vector<std::pair<std::string, std::string>> headers = {{"Host", "127.0.0.1:8080"}};

    pipeline::Request request() {
        views.clear();
        for (const auto& [name, value] : headers) views.push_back({name, value});
        return {.method = method, .target = target, .body = body, .headers = views, .source_address = "127.0.0.1"};
    }
    std::vector<pipeline::Header> views;
};

// The answer to one request, whenever it comes and on whatever thread.
class Answer {
  public:
    pipeline::Done done() {
        return [shared = shared_](pipeline::Response response) {
            const std::lock_guard lock(shared->mutex);
            shared->response = std::move(response);
            ++shared->times;
            shared->came.notify_all();
        };
    }
    bool there() const {
        const std::lock_guard lock(shared_->mutex);
        return shared_->response.has_value();
    }
    // Waits for it.
    pipeline::Response get() const {
        std::unique_lock lock(shared_->mutex);
        shared_->came.wait(lock, [this] { return shared_->response.has_value(); });
        return *shared_->response;
    }
    int times() const {
        const std::lock_guard lock(shared_->mutex);
        return shared_->times;
    }

  private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable came;
        std::optional<pipeline::Response> response;
        int times = 0;
    };
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// Answers nothing until it is told to.
class SlowHandler final : public pipeline::Handler {
  public:
    void handle(const pipeline::Request& request, pipeline::Done done) override {
        const std::lock_guard lock(mutex_);
        targets_.emplace_back(request.target);
        waiting_.push_back(std::move(done));
    }
    std::size_t in_flight() const {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }
    std::vector<std::string> targets() const {
        const std::lock_guard lock(mutex_);
        return targets_;
    }
    void answer_all() {
        std::vector<pipeline::Done> waiting;
        {
            const std::lock_guard lock(mutex_);
            waiting.swap(waiting_);
        }
        for (auto& done : waiting) done({});
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> targets_;
    std::vector<pipeline::Done> waiting_;
};

}  // namespace openrd::sandbox::testing
