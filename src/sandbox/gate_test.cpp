#include "sandbox/gate.hpp"

#include "sandbox/testing.hpp"

#include <atomic>
#include <thread>

namespace openrd::sandbox {
namespace {

using testing::Answer;
using testing::Asking;
using testing::SlowHandler;

TEST(Gate, LetsRequestsPassUntilItIsClosed) {
    SlowHandler handler;
    Gate gate(handler);
    Asking first{.target = "/1"}, second{.target = "/2"};
    Answer answer;
    gate.handle(first.request(), answer.done());
    gate.close();
    gate.handle(second.request(), answer.done());
    EXPECT_EQ(handler.targets(), std::vector<std::string>{"/1"});
    EXPECT_EQ(gate.passing(), 0u);
    gate.open();
    EXPECT_EQ(handler.targets(), (std::vector<std::string>{"/1", "/2"}));
}

// Counts those who are inside, so that a request that slips past a closed gate is seen.
class Counting final : public pipeline::Handler {
  public:
    void handle(const pipeline::Request&, pipeline::Done done) override {
        inside.fetch_add(1);
        handled.fetch_add(1);
        inside.fetch_sub(1);
        done({});
    }
    std::atomic<int> inside{0}, handled{0};
};

// As connections do: one request after the other.
void ask_one_by_one(Gate& gate, int count) {
    Asking asking;
    for (int i = 0; i < count; ++i) {
        Answer answer;
        gate.handle(asking.request(), answer.done());
        answer.get();
    }
}

TEST(Gate, IsShutWhenItIsClosedAndNobodyPasses) {
    constexpr int threads = 2, requests = 2000;
    Counting handler;
    Gate gate(handler);
    std::atomic<int> finished{0};
    std::vector<std::thread> asking;
    for (int i = 0; i < threads; ++i)
        asking.emplace_back([&] {
            ask_one_by_one(gate, requests);
            finished.fetch_add(1);
        });
    while (finished.load() != threads) {
        gate.close();
        while (gate.passing() != 0) std::this_thread::yield();
        const int before = handler.handled.load();
        std::this_thread::yield();
        EXPECT_EQ(handler.inside.load(), 0);
        EXPECT_EQ(handler.handled.load(), before);
        gate.open();
    }
    for (auto& thread : asking) thread.join();
    EXPECT_EQ(handler.handled.load(), threads * requests);
}

}  // namespace
}  // namespace openrd::sandbox
