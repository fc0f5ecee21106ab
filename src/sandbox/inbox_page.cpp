#include "sandbox/inbox_page.hpp"

#include "base/time_text.hpp"
#include "sandbox/answers.hpp"

#include <map>
#include <mutex>
#include <optional>

namespace openrd::sandbox {

struct InboxPage::Held {
    struct Call {
        std::string after;
        pipeline::Done done;
    };
    std::mutex mutex;
    std::map<std::uint64_t, Call> calls;
    std::uint64_t last = 0;
    bool closed = false;

    // Nothing once it was taken.
    std::optional<Call> take(std::uint64_t id) {
        const std::lock_guard lock(mutex);
        auto node = calls.extract(id);
        return node ? std::optional(std::move(node.mapped())) : std::nullopt;
    }
    void answer_all(bool close) {
        std::map<std::uint64_t, Call> ended;
        {
            const std::lock_guard lock(mutex);
            closed = closed || close;
            ended.swap(calls);
        }
        for (auto& [id, call] : ended) call.done(json_answer(delivery::inbox_json({}, call.after)));
    }
};

namespace {

struct Asked {
    delivery::InboxQuery query;
    std::int64_t wait_ms = 0;
    std::string problem;
};

Asked read_query(const Target& target) {
    Asked asked;
    for (const auto& [name, value] : target.query) {
        if (name == "to") asked.query.to = value;
        else if (name == "account") asked.query.account_id = value;
        else if (name == "purpose") asked.query.purpose = value;
        else if (name == "after") asked.query.after = value;
        else if (name == "wait") {
            const auto wait_ms = base::parse_duration_ms(value);
            if (!wait_ms || *wait_ms < 0 || *wait_ms > longest_inbox_wait_ms) asked.problem = "\"wait\" is a duration such as 5s, at most 10m.";
            else asked.wait_ms = *wait_ms;
        } else {
            asked.problem = "The query takes \"to\", \"account\", \"purpose\", \"after\" and \"wait\".";
        }
    }
    return asked;
}

}  // namespace

InboxPage::InboxPage(delivery::Inbox& inbox) : inbox_(inbox), held_(std::make_shared<Held>()) {}

void InboxPage::get(const Target& target, pipeline::Done done) {
    auto [query, wait_ms, trouble] = read_query(target);
    if (!trouble.empty()) return done(problem(400, trouble));
    std::uint64_t id = 0;
    {
        const std::lock_guard lock(held_->mutex);
        id = ++held_->last;
        if (held_->closed) wait_ms = 0;
        held_->calls.emplace(id, Held::Call{query.after, std::move(done)});
    }
    inbox_.wait(query, wait_ms, [held = held_, id](const std::vector<delivery::InboxMessage>& messages) {
        if (const auto call = held->take(id)) call->done(json_answer(delivery::inbox_json(messages, call->after)));
    });
}

pipeline::Response InboxPage::remove() {
    inbox_.clear();
    return empty_answer();
}

void InboxPage::end_waits() { held_->answer_all(false); }

void InboxPage::close() { held_->answer_all(true); }

}  // namespace openrd::sandbox
