#include "openrd/erase.hpp"

#include "api/call.hpp"
#include "base/clock.hpp"
#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "openrd/session.hpp"
#include "store/accounts.hpp"
#include "store/audit_events.hpp"
#include "store/erasure.hpp"
#include "store/subjects.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <set>

namespace openrd {
namespace {

constexpr std::int64_t events_at_a_time = 500;

struct Target {
    std::string account_id, directory_id;  // empty: no member
    std::string log;
};

Target find_target(db::Transaction& tx, const std::string& account_id) {
    const auto account = store::find_account(tx, account_id);
    if (!account) throw Failure(fmt::format("there is no account {}", account_id), refused_status);
    const bool member = account->standing == store::standing_member && account->directory_id;
    return {.account_id = account_id, .directory_id = member ? *account->directory_id : std::string(), .log = log_of(tx, *account)};
}

// Of whose number the log speaks where it speaks of this account: numbers that were given up, mistyped or refused as well. Only an
// operation that takes a number leaves a subject_ref.
class LoggedSubjects {
  public:
    explicit LoggedSubjects(const Target& target) : marks_{fmt::format(R"("AccountId":"{}")", target.account_id), fmt::format(R"("resourceName":"{}")", target.account_id)} {
        query_.account_id = target.log;
        query_.to_ms = INT64_MAX;
        query_.newest_first = false;
        query_.limit = events_at_a_time;
    }
    // Goes on after what was read before; false: there was nothing more.
    bool next(db::Transaction& tx) {
        const auto events = store::list_audit_events(tx, query_);
        if (events.empty()) return false;
        for (const auto& event : events) read(event.body);
        query_.beyond = store::EventPlace{.at_ms = events.back().at_ms, .turn = events.back().turn};
        return true;
    }
    const std::set<std::string>& refs() const { return refs_; }

  private:
    void read(std::string_view body) {
        // A quotation mark within a text is escaped: this cannot be part of one.
        static constexpr std::string_view member = R"("subject_ref":")";
        const auto at = body.find(member);
        if (at == body.npos || (body.find(marks_[0]) == body.npos && body.find(marks_[1]) == body.npos)) return;
        const auto rest = body.substr(at + member.size());
        refs_.emplace(rest.substr(0, rest.find('"')));
    }

    std::array<std::string, 2> marks_;
    store::EventQuery query_;
    std::set<std::string> refs_;
};

}  // namespace

int erase_person(const AccountOptions& o) {
    Session session(o.place);
    Target target;
    session.read([&](db::Transaction& tx) { target = find_target(tx, o.account_id); });
    // The log may be long: most of it is read before the transaction that others wait for.
    LoggedSubjects so_far(target);
    for (bool more = true; more;) session.read([&](db::Transaction& tx) { more = so_far.next(tx); });

    store::Erased erased;
    std::vector<std::string> destroyed;
    session.write([&](db::Transaction& tx) {
        const auto now_ms = base::real_now_ms();
        target = find_target(tx, o.account_id);
        erased = store::erase_live_data(tx, target.account_id, target.directory_id, now_ms);
        auto logged = so_far;
        while (logged.next(tx)) {}
        destroyed.clear();
        const auto destroy = [&](std::string_view log, const std::string& ref) {
            if (store::destroy_subject(tx, log, ref, now_ms)) destroyed.push_back(ref);
        };
        for (const auto& ref : logged.refs()) destroy(target.log, ref);
        // What is recorded of a number without an account, such as that it is to be sent nothing, stands in the server's own log.
        for (const auto& index : erased.phone_indexes)
            for (const auto log : {std::string_view(target.log), server_log})
                if (const auto subject = store::find_subject(tx, log, index)) destroy(log, subject->subject_ref);
        if (erased.nothing() && destroyed.empty()) return;
        record(tx,
               {.account_id = target.log,
                .name = "SubjectErased",
                .resource_type = api::account_resource,
                .resource = target.account_id,
                .parameters = {{"AccountId", target.account_id}, {"Subjects", fmt::format("{}", fmt::join(destroyed, ","))}}},
               now_ms);
    });
    print(object([&](wire::JsonWriter& w) {
        w.text("AccountId", target.account_id), w.number("Phones", erased.phones), w.number("Verifications", erased.verifications), w.number("Messages", erased.messages);
        w.number("Subjects", static_cast<std::int64_t>(destroyed.size()));
    }));
    return 0;
}

}  // namespace openrd
