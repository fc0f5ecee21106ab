#include "openrd/outbox_commands.hpp"

#include "api/call.hpp"
#include "base/clock.hpp"
#include "base/time_text.hpp"
#include "delivery/attempt.hpp"
#include "delivery/texts.hpp"
#include "delivery/verdict.hpp"
#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"
#include "store/outbox_log.hpp"
#include "store/verifications.hpp"
#include "wire/json_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace openrd {
namespace {

// Opens the database for one command and closes it, whatever comes.
class Opened {
  public:
    explicit Opened(const DataPlace& place) : data_(open_existing_data(place)) {}
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
    ~Opened() { data_.engine->close(); }
    db::Engine& engine() { return *data_.engine; }
    const keys::Ring& ring() const { return data_.ring; }

  private:
    Data data_;
};

void check(const OutboxOptions& o) {
    if (o.format != "json" && o.format != "text") throw Failure("--format is json or text");
    if (o.limit < 1 || o.limit > 100'000) throw Failure("--limit is from 1 to 100000");
    if (!o.state.empty() && std::ranges::find(store::message_states, o.state) == std::end(store::message_states))
        throw Failure(fmt::format("--state is one of {}", fmt::join(store::message_states, ", ")));
    if (o.dead && !o.state.empty() && !delivery::is_dead(o.state)) throw Failure(fmt::format("--dead: a message that is {} is none", o.state));
}

std::string masked(const keys::Ring& ring, const store::Message& message) {
    const auto to = delivery::destination_of(ring, message);
    if (!to) return "unreadable";
    return to->number.empty() ? "e-mail" : to->number.masked();
}

std::string as_json(const keys::Ring& ring, const store::Message& m, const std::vector<store::MessageEvent>* events) {
    std::string line;
    wire::JsonWriter w(line);
    w.begin_answer({});
    w.text("Id", delivery::outgoing_id(m)), w.text("AccountId", m.account_id), w.text("Purpose", m.purpose), w.text("To", masked(ring, m));
    w.text("State", m.state), w.text("Channel", m.channel), w.number("Tries", m.tries), w.text("ProviderRef", m.provider_ref), w.text("Code", m.provider_code);
    w.number("Segments", m.segments);
    w.text("CreateTime", base::utc_milliseconds(m.created_at_ms)), w.text("UpdateTime", base::utc_milliseconds(m.updated_at_ms));
    w.text("ExpirationTime", base::utc_milliseconds(m.expires_at_ms));
    if (events) {
        w.begin_list("Events", {});
        for (const auto& event : *events) {
            w.begin_item({}), w.text("Time", base::utc_milliseconds(event.at_ms)), w.text("Kind", event.kind), w.text("Channel", event.channel);
            w.text("Code", event.code), w.text("Attempt", event.attempt_id), w.end_item({});
        }
        w.end_list({}, {});
    }
    w.end_answer({});
    return line;
}

std::string as_text(const keys::Ring& ring, const store::Message& m) {
    return fmt::format("{}  {:<13} {:<10} {:<17} {} {}", base::utc_seconds(m.created_at_ms), m.state, m.channel.empty() ? "-" : m.channel, masked(ring, m),
                       delivery::outgoing_id(m), m.provider_code);
}

// By the whole id, or by the message's part of it, which takes a look through all of them.
store::Message load(db::Transaction& tx, const std::string& id) {
    const auto key = delivery::key_of_outgoing_id(id);
    auto message = key ? store::find_message(tx, key->account_id, key->message_id) : std::nullopt;
    if (!message) message = store::search_message(tx, id);
    if (!message) throw Failure(fmt::format("there is no message {}", id), refused_status);
    return *std::move(message);
}

// Why it must not be sent again; empty: it may.
std::string objection(db::Transaction& tx, const store::Message& m, std::int64_t now_ms) {
    if (m.state == store::message_unknown) return "its outcome is unknown: it may have arrived, and the gateway is being asked; whoever waits for the code can ask for it again";
    if (!delivery::is_dead(m.state)) return fmt::format("it is no dead letter: it is {}", m.state);
    if (now_ms >= delivery::deadline_ms(m)) return "its code is over, or will be before it could be typed in";
    if (delivery::is_notice(m.purpose)) return {};
    const auto verification = store::find_verification(tx, m.account_id, m.purpose);
    if (!verification || verification->verification_id != m.verification_id) return "its code was replaced by a newer one";
    if (!verification->pending(now_ms)) return fmt::format("its code can not be redeemed any more: it is {}", verification->state);
    if (verification->exhausted(now_ms)) return "its code was guessed at too often";
    return {};
}

// A member's management account reads of what was done to it.
std::string log_of(db::Transaction& tx, const std::string& account_id) {
    const auto account = store::find_account(tx, account_id);
    if (!account || account->standing != store::standing_member || !account->directory_id) return account_id;
    return store::load_directory(tx, *account->directory_id).management_account_id;
}

}  // namespace

int list_outbox(const OutboxOptions& o) {
    check(o);
    Opened data(o.place);
    std::vector<store::Message> messages;
    data.engine().read([&](db::Transaction& tx) { messages = store::list_messages(tx, {.dead = o.dead, .state = o.state}, o.limit); });
    for (const auto& message : messages) std::puts((o.format == "json" ? as_json(data.ring(), message, nullptr) : as_text(data.ring(), message)).c_str());
    return 0;
}

int show_message(const OutboxOptions& o) {
    check(o);
    Opened data(o.place);
    std::optional<store::Message> message;
    std::vector<store::MessageEvent> events;
    data.engine().read([&](db::Transaction& tx) {
        message = load(tx, o.id);
        events = store::list_message_events(tx, message->account_id, message->message_id);
    });
    if (!message) return refused_status;
    if (o.format == "json") {
        std::puts(as_json(data.ring(), *message, &events).c_str());
        return 0;
    }
    std::puts(as_text(data.ring(), *message).c_str());
    for (const auto& event : events)
        std::puts(fmt::format("  {}  {:<19} {:<10} {}", base::utc_milliseconds(event.at_ms), event.kind, event.channel.empty() ? "-" : event.channel, event.code).c_str());
    return 0;
}

int retry_outbox_message(const OutboxOptions& o) {
    check(o);
    Opened data(o.place);
    std::string id;
    data.engine().write_and_wait([&](db::Transaction& tx) {
        const auto now_ms = base::real_now_ms();
        const auto message = load(tx, o.id);
        id = delivery::outgoing_id(message);
        if (const auto why = objection(tx, message, now_ms); !why.empty()) throw Failure(fmt::format("{} is not sent again: {}", id, why), refused_status);
        if (!store::retry_message(tx, message, now_ms)) throw Failure(fmt::format("{} has just changed: look at it again", id), refused_status);
        record(tx,
               {.account_id = log_of(tx, message.account_id),
                .name = "RetryMessage",
                .resource_type = api::account_resource,
                .resource = message.account_id,
                .parameters = {{"AccountId", message.account_id}, {"MessageId", message.message_id}}},
               now_ms);
    });
    std::string line;
    wire::JsonWriter w(line);
    w.begin_answer({}), w.text("Id", id), w.text("State", store::message_queued), w.end_answer({});
    std::puts(line.c_str());
    return 0;
}

}  // namespace openrd
