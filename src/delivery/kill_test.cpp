// A server that sends messages is killed at random moments. Afterwards no message is lost, none was sent twice, and every row says
// how it came to its state.
#include "delivery/testing.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <thread>

namespace openrd::delivery::testing {
namespace {

constexpr int rounds = 50;

// Lines that a kill does not take away: each is one write.
class Journal {
  public:
    explicit Journal(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600)) {
        if (fd_ < 0) throw std::runtime_error("no journal");
    }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal() { ::close(fd_); }
    void add(const std::string& line) const {
        const auto text = line + "\n";
        if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw std::runtime_error("the journal is full");
    }
    std::map<std::string, int> lines() const {
        std::map<std::string, int> counts;
        std::ifstream file(path_);
        for (std::string line; std::getline(file, line);) ++counts[line];
        return counts;
    }

  private:
    const std::string path_;
    const int fd_;
};

// Writes down every message at the moment at which it goes out. Now and then it is busy, or its answer is lost, or it knows of some
// messages afterwards whether they came.
class CountingChannel : public Channel {
  public:
    CountingChannel(const std::string& path, unsigned seed) : sent_(path), random_(seed) {}

    std::string_view name() const override { return "counting"; }
    bool covers(const phone::MobileNumber&) const override { return true; }
    SendResult send(const OutgoingMessage& message, std::stop_token) override {
        linger();
        if (draw(20) == 0) return {.outcome = Sent::not_sent, .provider_ref = {}, .provider_code = "busy"};
        sent_.add(message.id);
        linger();
        if (draw(20) == 0) return {.outcome = Sent::unknown, .provider_ref = {}, .provider_code = "no answer"};
        return {.outcome = Sent::accepted, .provider_ref = "ref", .provider_code = {}};
    }
    std::optional<SendResult> reconcile(std::string_view id, const phone::MobileNumber&, std::int64_t) override {
        if (id.back() % 2 == 0) return {};
        const bool came = sent_.lines().contains(std::string(id));
        return SendResult{.outcome = came ? Sent::accepted : Sent::not_sent, .provider_ref = came ? "found" : "", .provider_code = came ? "" : "never came"};
    }

  private:
    unsigned draw(unsigned below) {
        const std::lock_guard lock(mutex_);
        return static_cast<unsigned>(random_() % below);
    }
    void linger() { std::this_thread::sleep_for(std::chrono::microseconds(draw(3'000))); }

    const Journal sent_;
    std::mutex mutex_;
    std::minstd_rand random_;
};

class Killed : public ::testing::Test {
  protected:
    Killed() { base::log::set_level(base::log::Level::off); }
    ~Killed() override { base::log::set_level(base::log::Level::info); }

    std::unique_ptr<db::Engine> open(bool create = false) const {
        db::OpenOptions options;
        options.directory = directory_.path() + "/data";
        options.create = create;
        options.durable = false;  // a killed process leaves the system's memory as it is
        return db::open(options);
    }
    // Every round begins when the leases of the one before are over.
    static void set_clock(base::Clock& clock, int round) { clock.set_ms(noon + round * (lease_ms + 1'000)); }

    // Promises messages and sends them until it is killed.
    [[noreturn]] void serve(int round, unsigned seed) const {
        const auto engine = open();
        const keys::Ring ring{base::Secret(std::string(32, 'k'))};
        base::Clock clock;
        set_clock(clock, round);
        CountingChannel channel(sent_path(), seed);
        const DispatcherOptions options{.workers = 2};
        Dispatcher one(*engine, ring, clock, Router{&channel}, options), other(*engine, ring, clock, Router{&channel}, options);
        one.start();
        other.start();
        const Journal promised(promised_path());
        for (int i = 0;; ++i) {
            const auto id = "r" + std::to_string(round) + "-" + std::to_string(i);
            const auto now_ms = clock.now_ms();
            engine->write_and_wait([&](db::Transaction& tx) {
                store::insert_message(tx, {.account_id = std::string(account),
                                           .message_id = id,
                                           .purpose = "bind",
                                           .verification_id = std::string(16, 'v'),
                                           .code_key_id = 1,
                                           .phone_sealed = ring.seal(keys::Purpose::outbox, "65-81234567", id),
                                           .not_before_ms = now_ms,
                                           .expires_at_ms = now_ms + 10 * base::hour_ms,
                                           .created_at_ms = now_ms});
            });
            promised.add(id);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    // Without being killed, until nothing is left to do.
    void finish(const keys::Ring& ring, db::Engine& engine) const {
        base::Clock clock;
        set_clock(clock, rounds);
        clock.freeze(true);
        CountingChannel channel(sent_path(), 1);
        Dispatcher dispatcher(engine, ring, clock, Router{&channel}, {.workers = 2});
        dispatcher.start();
        for (int i = 0; i < 8; ++i) {
            set_clock(clock, rounds + i);
            dispatcher.drained();
        }
        dispatcher.stop();
    }
    std::string sent_path() const { return directory_.path() + "/sent"; }
    std::string promised_path() const { return directory_.path() + "/promised"; }

    Directory directory_;
};

// Its events are all there, and the last one is about its state.
void expect_explained(const store::Message& message, const std::vector<store::MessageEvent>& events) {
    ASSERT_FALSE(events.empty()) << message.message_id;
    for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].n, static_cast<std::int64_t>(i) + 1) << message.message_id;
    EXPECT_EQ(events.front().kind, "sending") << message.message_id;
    EXPECT_EQ(message.channel, "counting") << message.message_id;
    EXPECT_FALSE(message.attempt_id.empty()) << message.message_id;
    const auto& last = events.back().kind;
    if (message.state == store::message_accepted) {
        EXPECT_EQ(last, "accepted") << message.message_id;
        EXPECT_FALSE(message.provider_ref.empty()) << message.message_id;
    } else if (message.state == store::message_unknown_final) {
        EXPECT_EQ(last, "unknown_final") << message.message_id;
        EXPECT_EQ(message.repeats, 1) << message.message_id << " did not come twice";
    } else {
        EXPECT_EQ(message.state, store::message_unknown) << message.message_id;
        EXPECT_TRUE(last == "unknown" || last == "lease_lost") << message.message_id << ": " << last;
        EXPECT_FALSE(message.provider_code.empty()) << message.message_id;
    }
}

TEST_F(Killed, AtRandomFiftyTimesLosesAndDoublesNothing) {
    const char* given = std::getenv("SEED");
    const auto seed = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : 20'261'124U;
    std::cout << "SEED=" << seed << '\n' << std::flush;
    std::minstd_rand random(seed);
    open(true)->close();
    for (int round = 0; round < rounds; ++round) {
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            try {
                serve(round, seed + static_cast<unsigned>(round));
            } catch (const std::exception& error) {
                std::cerr << error.what() << '\n' << std::flush;
                ::_exit(1);
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 400));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
    }
    const auto engine = open();
    const keys::Ring ring{base::Secret(std::string(32, 'k'))};
    finish(ring, *engine);

    const auto promised = Journal(promised_path()).lines();
    const auto sent = Journal(sent_path()).lines();
    EXPECT_GT(promised.size(), static_cast<std::size_t>(rounds)) << "it was under load";
    std::map<std::string, int> states;
    std::set<std::string> there;
    engine->read([&](db::Transaction& tx) {
        for (const auto& message : store::list_messages(tx, {}, 1'000'000)) {
            there.insert(message.message_id);
            ++states[message.state];
            const auto in_journal = sent.find(std::string(account) + "-" + message.message_id);
            const int times = in_journal == sent.end() ? 0 : in_journal->second;
            EXPECT_LE(times, 1) << message.message_id << " was sent more than once";
            if (message.state == store::message_accepted) { EXPECT_EQ(times, 1) << message.message_id << " was never sent"; }
            expect_explained(message, store::list_message_events(tx, account, message.message_id));
        }
    });
    engine->idle();
    engine->close();
    for (const auto& [id, times] : promised) EXPECT_TRUE(there.contains(id)) << id << " is lost";
    for (const auto& [state, count] : states) std::cout << state << ": " << count << '\n' << std::flush;
    EXPECT_GT(states[std::string(store::message_accepted)], 0);
    EXPECT_GT(states[std::string(store::message_unknown)], 0) << "some were under way when it was killed";
}

}  // namespace
}  // namespace openrd::delivery::testing
