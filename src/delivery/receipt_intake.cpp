#include "delivery/receipt_intake.hpp"

#include "base/log.hpp"
#include "delivery/attempt.hpp"
#include "delivery/receipts.hpp"
#include "delivery/verdict.hpp"
#include "store/outbox.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

namespace openrd::delivery {
namespace {

constexpr std::size_t longest_code = 64;

struct Told {
    MessageKey key;
    std::string_view says;
    std::string code;
};

std::string_view state_of(Fate fate) {
    switch (fate) {
        case Fate::on_its_way:
            return store::message_accepted;
        case Fate::delivered:
            return store::message_delivered;
        case Fate::undelivered:
        case Fate::rejected:
            break;
    }
    return store::message_undelivered;
}

}  // namespace

// The receipts of one request.
struct ReceiptIntake::Batch {
    std::string channel;
    std::int64_t now_ms = 0;
    std::vector<Told> told;
    std::vector<std::optional<store::ReceiptEffect>> effects;  // of the run that was committed
};

ReceiptIntake::ReceiptIntake(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, const Router& router, Counters* counters)
    : engine_(engine), ring_(ring), clock_(clock), router_(router), counters_(counters) {}

bool ReceiptIntake::concerns(std::string_view target) { return target.starts_with(receipts_prefix); }

const Channel* ReceiptIntake::channel_of(std::string_view target) const {
    if (!concerns(target)) return nullptr;
    target.remove_prefix(receipts_prefix.size());
    return router_.find(target.substr(0, target.find_first_of("/?")));
}

std::vector<Receipt> ReceiptIntake::authentic(const ReceiptRequest& request, const Channel& channel) const {
    try {
        auto receipts = channel.parse_receipts(request);
        if (receipts.size() <= most_receipts) return receipts;
        base::log::warning("receipts_too_many", {{"channel", channel.name()}, {"count", static_cast<std::int64_t>(receipts.size())}});
    } catch (const std::exception&) { base::log::warning("receipt_unreadable", {{"channel", channel.name()}}); }  // its words may be about a person
    return {};
}

void ReceiptIntake::take(const ReceiptRequest& request, Done done) {
    const auto* channel = request.target.size() + request.body.size() <= most_bytes ? channel_of(request.target) : nullptr;
    if (!channel || (request.method != "GET" && request.method != "POST")) return done(Answer::none);
    const auto receipts = authentic(request, *channel);
    if (receipts.empty()) return done(Answer::none);
    if (under_way_->fetch_add(1) >= most_at_once) {
        under_way_->fetch_sub(1);
        return done(Answer::not_now);
    }
    const auto batch = std::make_shared<Batch>(Batch{.channel = std::string(channel->name()), .now_ms = clock_.now_ms(), .told = {}, .effects = {}});
    for (const auto& receipt : receipts)
        if (auto key = key_of_outgoing_id(receipt.message_id))
            batch->told.push_back({.key = *std::move(key), .says = state_of(receipt.fate), .code = printable(receipt.provider_code, longest_code)});
    // In the order of the keys, as everybody who changes several rows: two of them do not wait for each other.
    std::ranges::stable_sort(batch->told, [](const Told& a, const Told& b) { return std::tie(a.key.account_id, a.key.message_id) < std::tie(b.key.account_id, b.key.message_id); });
    engine_.write(
        [batch](db::Transaction& tx) {
            batch->effects.clear();
            for (const auto& told : batch->told)
                batch->effects.push_back(store::receive_receipt(tx, told.key.account_id, told.key.message_id, batch->channel, told.says, told.code, batch->now_ms));
        },
        [this, batch, under_way = under_way_, done = std::move(done)](db::Outcome outcome, const std::exception_ptr&) {
            under_way->fetch_sub(1);
            if (outcome == db::Outcome::committed) tell(*batch);
            else base::log::error("receipts_not_written", {{"channel", batch->channel}});
            done(outcome == db::Outcome::committed ? Answer::taken : Answer::not_now);
        });
}

void ReceiptIntake::tell(const Batch& batch) const {
    for (const auto& effect : batch.effects) {
        if (!effect || effect->before == effect->after) continue;
        const auto& message = effect->message;
        if (effect->after == store::message_undelivered) base::log::warning("message_undelivered", {{"message_id", message.message_id}, {"channel", batch.channel}});
        if (!counters_) continue;
        const auto to = destination_of(ring_, message);
        const auto country = to ? to->country() : std::string();
        counters_->became(batch.channel, country, effect->after);
        if (effect->after == store::message_delivered) counters_->delivered(batch.channel, country, batch.now_ms - message.created_at_ms);
    }
}

}  // namespace openrd::delivery
