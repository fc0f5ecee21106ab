#include "db/postgres/connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace openrd::db::postgres {
namespace {

using Clock = Terms::Time;

bool is_error(ExecStatusType status) { return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR; }

}  // namespace

std::string shown(const std::string& url) {
    // postgresql://user:password@host,host/name?options
    std::string_view rest = url;
    const auto scheme = rest.find("://");
    if (scheme == rest.npos) return "the database";
    rest.remove_prefix(scheme + 3);
    rest = rest.substr(0, rest.find('?'));
    if (const auto at = rest.rfind('@'); at != rest.npos) rest.remove_prefix(at + 1);
    return "postgresql://" + std::string(rest);
}

Connection::Connection(const Target& target) : where_(shown(target.url)) {
    try {
        connect(target);
        set_up(target);
    } catch (...) {
        Libpq::get().finish(handle_);
        throw;
    }
}

Connection::~Connection() {
    if (handle_) Libpq::get().finish(handle_);
}

void Connection::connect(const Target& target) {
    const Libpq& pq = Libpq::get();
    // What stands before dbname is a default that the URL may change.
    const std::array keywords{"connect_timeout",  "target_session_attrs", "tcp_user_timeout", "keepalives_idle", "keepalives_interval",
                              "keepalives_count", "application_name",     "dbname",           "client_encoding", static_cast<const char*>(nullptr)};
    const std::array values{"2", "read-write", "10000", "10", "3", "3", "openrd", target.url.c_str(), "UTF8", static_cast<const char*>(nullptr)};
    handle_ = pq.connect(keywords.data(), values.data(), 1);
    if (!handle_) throw Error(Trouble::unavailable, "no memory for a connection to the database");
    if (pq.status(handle_) != CONNECTION_OK) throw Lost(fmt::format("{} cannot be reached: {}", where_, one_line(pq.error_message(handle_))));
    pq.set_notice_receiver(handle_, on_notice, this);
    if (pq.set_nonblocking(handle_, 1) != 0 || pq.enter_pipeline(handle_) != 1) throw Lost(fmt::format("{}: {}", where_, one_line(pq.error_message(handle_))));
}

void Connection::set_up(const Target& target) {
    const auto until = Clock::now() + std::chrono::milliseconds(target.deadline_ms);
    // What was answered is on disk, here and on a synchronous standby, whatever the database's default says; only `remote_apply` is stricter than `on`.
    run_text("SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)", until);
    run_text("SET default_transaction_isolation = 'read committed'", until);
    run_text(fmt::format("SET statement_timeout = {}", target.deadline_ms), until);
    run_text(fmt::format("SET lock_timeout = {}", std::max<std::int64_t>(target.deadline_ms / 2, 1)), until);
    // Every statement is kept and has the same plan whatever its values: planning it anew each time is most of its cost.
    run_text("SET plan_cache_mode = force_generic_plan", until);
    // A plan made while a table is small is kept until the table is analyzed: reading all of it must not be the plan where there is an index.
    run_text("SET enable_seqscan = off", until);
    // A server of ours that hangs in the middle of a transaction holds up nobody for longer.
    run_text(fmt::format("SET idle_in_transaction_session_timeout = {}", 2 * target.deadline_ms), until);
}

void Connection::on_notice(void* self, const PGresult* notice) {
    const char* severity = Libpq::get().error_field(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && std::string_view(severity) == "WARNING") static_cast<Connection*>(self)->warned_ = true;
}

bool Connection::warned() { return std::exchange(warned_, false); }

void Connection::fail(const std::string& what) {
    lost_ = true;
    queued_.clear();
    sent_.clear();
    throw Lost(fmt::format("{}: {}", where_, what));
}

void Connection::hold(Queued& queued, std::initializer_list<Value> values) {
    for (const Value& value : values) {
        bool binary = true;
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            // As text it fits whatever integer type the server takes it for.
            fmt::format_to(std::back_inserter(queued.values), "{}", *number);
            binary = false;
        } else if (const auto* text = std::get_if<std::string_view>(&value)) {
            queued.values += *text;
        } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
            queued.values += bytes->data;
        }
        const bool null = std::holds_alternative<std::nullptr_t>(value);
        queued.values += '\0';
        queued.ends.push_back(null ? -1 : static_cast<std::int32_t>(queued.values.size()));
        queued.binary.push_back(binary ? 1 : 0);
    }
}

void Connection::post(const Sql& sql, std::initializer_list<Value> values) {
    if (lost_) fail("the connection is lost");
    hold(queued_.emplace_back(Queued{.text = sql.text, .values = {}, .ends = {}, .binary = {}}), values);
}

std::string Connection::in_dialect(const char* text) {
    constexpr std::string_view mark = "/*for update*/";
    std::string result(text);
    if (const auto at = result.find(mark); at != result.npos) result.replace(at, mark.size(), "FOR UPDATE");
    return result;
}

void Connection::send(const Queued& queued) {
    const Libpq& pq = Libpq::get();
    auto [at, is_new] = kept_.try_emplace(queued.text);
    const std::string& name = at->second;
    if (is_new) {
        at->second = fmt::format("s{}", ++names_);
        if (pq.send_prepare(handle_, name.c_str(), in_dialect(queued.text).c_str(), 0, nullptr) != 1) fail(one_line(pq.error_message(handle_)));
        sent_.push_back({Kind::prepare, queued.text});
    }
    constexpr std::size_t most = 64;
    std::array<const char*, most> pointers{};
    std::array<int, most> lengths{}, formats{};
    const std::size_t count = queued.ends.size();
    if (count > most) throw Error(Trouble::programming, "too many values for one statement");
    std::int32_t begin = 0;
    for (std::size_t i = 0; i < count; ++i) {
        formats[i] = queued.binary[i];
        if (queued.ends[i] < 0) {
            ++begin;  // its separator
            continue;
        }
        pointers[i] = queued.values.data() + begin;
        lengths[i] = queued.ends[i] - begin - 1;
        begin = queued.ends[i];
    }
    if (pq.send_prepared(handle_, name.c_str(), static_cast<int>(count), pointers.data(), lengths.data(), formats.data(), 1) != 1) fail(one_line(pq.error_message(handle_)));
    sent_.push_back({Kind::command, queued.text});
}

void Connection::send_all() {
    const Libpq& pq = Libpq::get();
    for (const Queued& queued : queued_) send(queued);
    queued_.clear();
    if (pq.pipeline_sync(handle_) != 1) fail(one_line(pq.error_message(handle_)));
    if (pq.flush(handle_) < 0) fail(one_line(pq.error_message(handle_)));
}

void Connection::wait(Time until) {
    const Libpq& pq = Libpq::get();
    while (pq.busy(handle_) != 0) {
        const int unsent = pq.flush(handle_);
        if (unsent < 0) fail(one_line(pq.error_message(handle_)));
        pollfd ready{.fd = pq.socket(handle_), .events = static_cast<short>(unsent == 1 ? POLLIN | POLLOUT : POLLIN), .revents = 0};
        const auto left = until == Time::max() ? std::int64_t{60'000} : std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0) fail("the server did not answer in time");
        const int count = ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left + 1, 60'000)));
        if (count < 0 && errno != EINTR) fail("poll failed");
        if (count > 0 && pq.consume_input(handle_) != 1) fail(one_line(pq.error_message(handle_)));
    }
}

Result Connection::next_result(Time until) {
    wait(until);
    return Result(Libpq::get().result(handle_));
}

// The results of everything up to the next synchronisation point. The last one, or the first error.
Result Connection::collect(Time until) {
    const Libpq& pq = Libpq::get();
    std::optional<ServerError> error;
    std::size_t failed_at = 0;
    Result last;
    const auto sent = std::exchange(sent_, {});
    for (std::size_t i = 0; i < sent.size(); ++i) {
        Result result = next_result(until);
        if (!result) fail("the server's answers are out of order");
        const ExecStatusType status = pq.result_status(result.get());
        if (is_error(status) && !error) {
            error = error_of(result.get(), sent[i].text);
            failed_at = i;
        }
        const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        if (sent[i].kind == Kind::prepare && !good) kept_.erase(sent[i].text);
        if (pq.status(handle_) == CONNECTION_BAD) fail(error ? error->what() : one_line(pq.error_message(handle_)));
        if (const Result end = next_result(until)) fail("the server's answers are out of order");
        if (good) last = std::move(result);
    }
    const Result sync = next_result(until);
    if (!sync || pq.result_status(sync.get()) != PGRES_PIPELINE_SYNC) fail(error ? error->what() : one_line(pq.error_message(handle_)));
    if (error) {
        if (error->fatal()) lost_ = true;
        // A statement is sent after its preparation; that one of them failed is the statement's own failure.
        queue_failed_ = failed_at + 1 < sent.size() && !(failed_at + 2 == sent.size() && sent[failed_at].kind == Kind::prepare);
        if (queue_failed_ && error->trouble() == Trouble::conflict) error->set_repeatable();
        throw *error;
    }
    return last;
}

Result Connection::ask(const Sql& sql, std::initializer_list<Value> values, Time until) {
    post(sql, values);
    return settle(until);
}

Result Connection::settle(Time until) {
    if (lost_) fail("the connection is lost");
    queue_failed_ = false;
    if (owed_ != 0) {
        owed_ = 0;
        collect(until);
    }
    if (queued_.empty()) return {};
    send_all();
    return collect(until);
}

void Connection::send_off() {
    if (owed_ != 0) {
        owed_ = 0;
        collect(Clock::now() + std::chrono::seconds(10));
    }
    if (queued_.empty()) return;
    send_all();
    owed_ = 1;
}

Result Connection::run_text(const std::string& text, Time until) {
    const Libpq& pq = Libpq::get();
    settle(until);
    if (pq.send_params(handle_, text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) != 1 || pq.pipeline_sync(handle_) != 1 || pq.flush(handle_) < 0)
        fail(one_line(pq.error_message(handle_)));
    sent_.push_back({Kind::command, text.c_str()});
    return collect(until);
}

}  // namespace openrd::db::postgres
