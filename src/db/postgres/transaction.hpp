#pragma once
// The transaction that a connection has open, as works see it.
#include "db/engine.hpp"
#include "db/postgres/connection.hpp"

#include <deque>
#include <exception>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

namespace openrd::db::postgres {

enum class Access : std::uint8_t {
    writes,     // read committed: decisions are guarded statements, or made under a lock (docs/cluster.md)
    snapshot,   // reads of one snapshot
    statement,  // reads of one statement, which has a snapshot of its own: no BEGIN and no COMMIT
};

// A read that was taken for one statement has a second one: it is to be run again as Access::snapshot.
struct MoreThanOneStatement {};

// Which reads are of one statement, as they have shown: by the address of that statement, unless a read that begins with it has once
// had more. BEGIN and COMMIT are half of such a read's cost.
class OneStatementReads {
  public:
    bool contain(const char* first) const;
    void learn(const char* first, bool one);

  private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<const char*, bool> seen_;
};

class OpenTransaction final : public Transaction {
  public:
    // `known`: for a read, to be Access::statement where that is known to be enough.
    OpenTransaction(Connection& connection, Access access, Connection::Time until, const OneStatementReads* known = nullptr);

    void post(const Sql& sql, std::initializer_list<Value> values) override;
    bool shared() const override { return true; }
    bool writable() const override { return access_ == Access::writes; }
    std::int64_t writes() const override { return writes_; }
    void savepoint() override;
    void release_savepoint() override;
    void rollback_to_savepoint() override;

    // Ends it; the answer of the server was COMMIT. Throws Lost when the answer did not come: then nobody knows; anything else: it was rolled
    // back. `true`: the server warned, so that the commit may not be safe on a standby.
    bool commit();
    // Of a read: lets go of the snapshot, without waiting for it.
    void end_read();
    // Never throws: a connection that cannot roll back is given up, and the server rolls back.
    void roll_back() noexcept;

    // The connection has begun a transaction already, which is not ours to end.
    void join() { begun_ = true; }

    int open_savepoints() const { return depth_; }
    int statements() const { return statements_; }
    const char* first_statement() const { return first_; }
    // Why nothing more can run in it, whatever the work caught.
    std::exception_ptr doomed() const { return doomed_; }

  protected:
    Statement* start(const Sql& sql, std::initializer_list<Value> values) override;

  private:
    void begin();
    void set_savepoints_before(const char* text);
    void refuse_doomed() const;
    Result asked(const Sql& sql, std::initializer_list<Value> values);

    Connection& connection_;
    Access access_;
    Connection::Time until_;
    const OneStatementReads* known_;
    std::deque<ResultRows> rows_;  // addresses stay
    std::exception_ptr doomed_;
    const char* first_ = nullptr;
    std::int64_t writes_ = 0;
    int depth_ = 0, statements_ = 0;
    int set_ = 0;  // savepoints that the server was told of: one is set before the first statement in it that writes
    bool begun_ = false, failed_ = false;
};

}  // namespace openrd::db::postgres
