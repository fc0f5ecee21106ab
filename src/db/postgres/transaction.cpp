#include "db/postgres/transaction.hpp"

#include <string_view>

namespace openrd::db::postgres {
namespace {

constexpr Sql begin_writing{"BEGIN"};
constexpr Sql begin_reading{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
constexpr Sql commit_all{"COMMIT"};
constexpr Sql roll_all_back{"ROLLBACK"};
// The same name for all: the server means the innermost one, too.
constexpr Sql set{"SAVEPOINT part"};
constexpr Sql keep{"RELEASE SAVEPOINT part"};
constexpr Sql undo{"ROLLBACK TO SAVEPOINT part"};

}  // namespace

bool OneStatementReads::contain(const char* first) const {
    const std::shared_lock lock(mutex_);
    const auto at = seen_.find(first);
    return at != seen_.end() && at->second;
}

void OneStatementReads::learn(const char* first, bool one) {
    {
        const std::shared_lock lock(mutex_);
        const auto at = seen_.find(first);
        if (at != seen_.end() && (at->second == one || !at->second)) return;
    }
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = seen_.try_emplace(first, one);
    at->second = at->second && one;
}

OpenTransaction::OpenTransaction(Connection& connection, Access access, Connection::Time until, const OneStatementReads* known)
    : connection_(connection), access_(access), until_(until), known_(known) {}

void OpenTransaction::begin() {
    if (begun_ || access_ == Access::statement) return;
    begun_ = true;
    connection_.post(access_ == Access::writes ? begin_writing : begin_reading);
}

// A savepoint costs the server as much as a small statement, and half of them hold only reads.
void OpenTransaction::set_savepoints_before(const char* text) {
    if (std::string_view(text).starts_with("SELECT")) return;
    for (; set_ < depth_; ++set_) connection_.post(set);
}

void OpenTransaction::refuse_doomed() const {
    if (doomed_) std::rethrow_exception(doomed_);
    if (failed_) throw Error(Trouble::unavailable, "a statement has failed: the transaction must go back to a savepoint first");
    if (until_ != Connection::Time::max() && Terms::Time::now() > until_) throw Error(Trouble::unavailable, "the request has taken too long");
}

Result OpenTransaction::asked(const Sql& sql, std::initializer_list<Value> values) {
    refuse_doomed();
    if (access_ == Access::statement && statements_ == 1) throw MoreThanOneStatement{};
    if (statements_++ == 0) {
        first_ = sql.text;
        if (known_ && access_ == Access::snapshot && known_->contain(first_)) access_ = Access::statement;
    }
    try {
        begin();
        set_savepoints_before(sql.text);
        return connection_.ask(sql, values, until_);
    } catch (const ServerError& error) {
        failed_ = true;
        // With no savepoint set inside the part there is nothing to go back to.
        if (set_ < depth_) doomed_ = std::current_exception();
        // What a lock or a conflict has cost is the whole transaction; of a statement that was not waited for nobody knows which part it
        // belonged to.
        if (error.repeatable() || error.fatal() || connection_.queue_failed()) doomed_ = std::current_exception();
        throw;
    } catch (const Error&) {
        doomed_ = std::current_exception();
        throw;
    }
}

Statement* OpenTransaction::start(const Sql& sql, std::initializer_list<Value> values) {
    Result result = asked(sql, values);
    for (ResultRows& rows : rows_)
        if (!rows.busy()) return rows.begin(std::move(result)), writes_ += rows.changed(), &rows;
    ResultRows& rows = rows_.emplace_back();
    rows.begin(std::move(result));
    writes_ += rows.changed();
    return &rows;
}

void OpenTransaction::post(const Sql& sql, std::initializer_list<Value> values) {
    refuse_doomed();
    if (access_ != Access::writes) throw Error(Trouble::programming, "a read posts nothing");
    if (statements_++ == 0) first_ = sql.text;
    begin();
    set_savepoints_before(sql.text);
    connection_.post(sql, values);
    ++writes_;
}

void OpenTransaction::savepoint() {
    refuse_doomed();
    ++depth_;
}

void OpenTransaction::release_savepoint() {
    if (depth_ == 0) throw Error(Trouble::programming, "there is no savepoint");
    --depth_;
    refuse_doomed();
    if (set_ <= depth_) return;
    set_ = depth_;
    connection_.post(keep);
}

void OpenTransaction::rollback_to_savepoint() {
    if (depth_ == 0) throw Error(Trouble::programming, "there is no savepoint");
    --depth_;
    if (doomed_) return;  // all of it is undone anyway
    if (set_ <= depth_) return;
    set_ = depth_;
    failed_ = false;
    connection_.post(undo);
    connection_.post(keep);
}

bool OpenTransaction::commit() {
    refuse_doomed();
    if (!begun_) return false;
    connection_.warned();
    connection_.post(commit_all);
    const Result result = connection_.settle(until_ == Connection::Time::max() ? until_ : until_ + std::chrono::seconds(2));
    // A broken transaction answers COMMIT with ROLLBACK.
    if (!result || std::string_view(Libpq::get().command_tag(result.get())) != "COMMIT") throw Error(Trouble::unavailable, "the transaction was broken off");
    return connection_.warned();
}

void OpenTransaction::end_read() {
    if (!begun_ || connection_.lost()) return;
    connection_.post(commit_all);
    connection_.send_off();
}

void OpenTransaction::roll_back() noexcept {
    try {
        if (connection_.lost()) return;
        connection_.drop_queued();
        if (!begun_) return;
        connection_.post(roll_all_back);
        connection_.settle(Terms::Time::now() + std::chrono::seconds(2));
    } catch (const std::exception&) { connection_.give_up(); }
}

}  // namespace openrd::db::postgres
