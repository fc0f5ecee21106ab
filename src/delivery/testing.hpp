#pragma once
// What the tests of the dispatcher share: the real engine that can be given trouble, a channel that does as it is told, a clock that
// stands.
#include "base/log.hpp"
#include "db/open.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/inbox.hpp"
#include "store/outbox_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::delivery::testing {

inline constexpr std::int64_t noon = 1'764'000'000'000;
inline constexpr std::string_view account = "1000000000000002";

class Directory {
  public:
    Directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "openrd-delivery-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
        path_ = pattern;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

// The real engine, which fails when it is told to, and counts.
class TroubledEngine : public db::Engine {
  public:
    explicit TroubledEngine(std::unique_ptr<db::Engine> engine) : engine_(std::move(engine)) {}

    void read(const Work& work) override {
        if (reads_to_fail > 0 && reads_to_fail-- > 0) throw db::Error(db::Trouble::unavailable, "the disk cannot be read");
        engine_->read(work);
    }
    using db::Engine::write;
    void write(Work work, Done done, db::Terms terms) override {
        if (writes_to_pass > 0) {
            --writes_to_pass;
        } else if (writes_to_fail > 0) {
            --writes_to_fail;
            return done(db::Outcome::unavailable, nullptr);
        }
        ++writes;
        engine_->write(std::move(work), std::move(done), std::move(terms));
    }
    std::uint64_t generation(db::Topic topic) const override { return engine_->generation(topic); }
    void on_commit(db::Topic topic, std::function<void()> wake) override { engine_->on_commit(topic, std::move(wake)); }
    void idle() override { engine_->idle(); }
    std::size_t backlog() const override { return engine_->backlog(); }
    void close() override { engine_->close(); }

    std::atomic<int> reads_to_fail{0}, writes_to_pass{0}, writes_to_fail{0}, writes{0};

  private:
    std::unique_ptr<db::Engine> engine_;
};

// A gateway that does as it is told.
class ScriptedChannel : public Channel {
  public:
    explicit ScriptedChannel(std::string name, std::string calling_code = "", bool repeatable = false)
        : name_(std::move(name)), calling_code_(std::move(calling_code)), repeatable_(repeatable) {}

    std::string_view name() const override { return name_; }
    bool covers(const phone::MobileNumber& to) const override { return calling_code_.empty() || to.calling_code() == calling_code_; }
    bool repeatable() const override { return repeatable_; }
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override {
        std::function<SendResult(const OutgoingMessage&, std::stop_token)> act;
        {
            const std::lock_guard lock(mutex_);
            sent_.push_back(key_of_outgoing_id(message.id).value().message_id);
            if (!script_.empty()) {
                act = std::move(script_.front());
                script_.pop_front();
            }
        }
        return act ? act(message, std::move(stop)) : SendResult{.outcome = Sent::accepted, .provider_ref = "ref", .provider_code = {}};
    }
    std::optional<SendResult> reconcile(std::string_view, const phone::MobileNumber&, std::int64_t) override { return known; }

    ScriptedChannel& then(Sent outcome, std::optional<std::int64_t> retry_after_ms = {}) {
        return then(
            [=](const OutgoingMessage&, std::stop_token) { return SendResult{.outcome = outcome, .provider_ref = {}, .provider_code = {}, .retry_after_ms = retry_after_ms}; });
    }
    ScriptedChannel& then(std::function<SendResult(const OutgoingMessage&, std::stop_token)> act) {
        script_.push_back(std::move(act));
        return *this;
    }
    std::vector<std::string> sent() const {
        const std::lock_guard lock(mutex_);
        return sent_;
    }
    std::size_t count() const { return sent().size(); }

    std::optional<SendResult> known;  // what reconcile says

  private:
    const std::string name_, calling_code_;
    const bool repeatable_;
    mutable std::mutex mutex_;
    std::deque<std::function<SendResult(const OutgoingMessage&, std::stop_token)>> script_;
    std::vector<std::string> sent_;
};

class DispatcherTest : public ::testing::Test {
  protected:
    DispatcherTest() : engine_(open(directory_.path())) {
        base::log::set_level(base::log::Level::off);
        clock_.set_ms(noon);
        clock_.freeze(true);
        clock_.set_ms(noon);
    }
    ~DispatcherTest() override {
        dispatcher_.reset();
        engine_.close();
        base::log::set_level(base::log::Level::info);
    }

    static std::unique_ptr<db::Engine> open(const std::string& path) {
        db::OpenOptions options;
        options.directory = path + "/data";
        options.create = true;
        options.durable = false;
        return db::open(options);
    }

    void dispatch_to(std::vector<Channel*> channels) {
        dispatcher_.emplace(engine_, ring_, clock_, Router(std::move(channels)), options_);
        dispatcher_->start();
    }

    void queue(const std::string& id, std::string_view to = "65-81234567", std::int64_t lifetime_ms = 600'000) {
        const auto now_ms = clock_.now_ms();
        const store::Message message{.account_id = std::string(account),
                                     .message_id = id,
                                     .purpose = "bind",
                                     .verification_id = std::string(16, 'v'),
                                     .code_key_id = 1,
                                     .phone_sealed = ring_.seal(keys::Purpose::outbox, to, id),
                                     .not_before_ms = now_ms,
                                     .expires_at_ms = now_ms + lifetime_ms,
                                     .created_at_ms = now_ms};
        engine_.write_and_wait([&](db::Transaction& tx) { store::insert_message(tx, message); });
    }
    // As a worker does that then dies. How many it took.
    std::size_t take(std::string_view channel = "gateway") {
        std::size_t taken = 0;
        const auto now_ms = clock_.now_ms();
        engine_.write_and_wait([&](db::Transaction& tx) {
            taken = 0;
            for (const auto& message : store::list_due_messages(tx, now_ms, {}, 20))
                taken += store::claim_message(tx, message, "at-dead", message.channel.empty() ? channel : message.channel, now_ms + lease_ms, now_ms) ? 1 : 0;
        });
        return taken;
    }
    store::Message row(std::string_view id) {
        std::optional<store::Message> found;
        engine_.read([&](db::Transaction& tx) { found = store::find_message(tx, account, id); });
        engine_.idle();
        if (!found) throw std::runtime_error("there is no such message");
        return *std::move(found);
    }
    // What happened to it, in order: "sending accepted".
    std::string story(std::string_view id) {
        std::string kinds;
        engine_.read([&](db::Transaction& tx) {
            kinds.clear();
            for (const auto& event : store::list_message_events(tx, account, id)) kinds += (kinds.empty() ? "" : " ") + event.kind;
        });
        engine_.idle();
        return kinds;
    }
    std::int64_t count(std::string_view state) {
        std::int64_t found = -1;
        engine_.read([&](db::Transaction& tx) { found = store::count_messages(tx, state); });
        engine_.idle();
        return found;
    }
    void at(std::int64_t now_ms) {
        clock_.set_ms(now_ms);
        dispatcher_->drained();
    }
    std::string code(std::string_view e164) const { return std::string(ring_.code(std::string(16, 'v'), account, "bind", e164, 1).reveal()); }

    Directory directory_;
    TroubledEngine engine_;
    keys::Ring ring_{base::Secret(std::string(32, 'k'))};
    base::Clock clock_;
    Inbox inbox_;
    InboxChannel inbox_channel_{inbox_};
    ScriptedChannel gateway_{"gateway"};
    Counters counters_;
    DispatcherOptions options_{.workers = 1, .counters = &counters_};  // one worker: in order
    std::optional<Dispatcher> dispatcher_;
};

}  // namespace openrd::delivery::testing
