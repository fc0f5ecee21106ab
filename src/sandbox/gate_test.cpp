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
        done({});
        inside.fetch_sub(1);
    }
    std::atomic<int> inside{0};
};

TEST(Gate, IsShutWhenItIsClosedAndNobodyPasses) {
    Counting handler;
    Gate gate(handler);
    std::atomic<bool> over{false};
    std::atomic<int> answered{0}, asked{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            Asking asking;
            while (!over.load()) {
                asked.fetch_add(1);
                gate.handle(asking.request(), [&](const pipeline::Response&) { answered.fetch_add(1); });
            }
        });
    for (int round = 0; round < 50; ++round) {
        gate.close();
        while (gate.passing() != 0) std::this_thread::yield();
        // From here on none may enter. Two looks with time between them.
        EXPECT_EQ(handler.inside.load(), 0);
        const int before = answered.load();
        std::this_thread::yield();
        EXPECT_EQ(answered.load(), before);
        gate.open();
    }
    over.store(true);
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(answered.load(), asked.load());
}

}  // namespace
}  // namespace openrd::sandbox
