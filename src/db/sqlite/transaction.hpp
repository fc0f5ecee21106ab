#pragma once
// The transaction that a connection has open, as works see it.
#include "db/engine.hpp"
#include "db/sqlite/connection.hpp"

#include <cstdint>

namespace openrd::db::sqlite {

class OpenTransaction final : public db::Transaction {
  public:
    enum class Access : std::uint8_t { reads, writes };

    // `before`: the topics that works before this one have changed in the same transaction.
    OpenTransaction(Connection& connection, Access access, std::uint8_t before = 0)
        : connection_(connection), access_(access), before_(before), changes_before_(connection.changes()) {}

    bool writable() const override { return access_ == Access::writes; }
    bool changed_before(Topic topic) const override { return (before_ & static_cast<std::uint8_t>(topic)) != 0; }
    std::int64_t writes() const override { return connection_.changes() - changes_before_; }

    // After a failure that may have undone the whole transaction (full disk) nothing runs any more, whoever caught it: SQLite
    // would run, and commit, each statement by itself.
    void savepoint() override;
    void release_savepoint() override;
    void rollback_to_savepoint() override;

    int open_savepoints() const { return depth_; }

  protected:
    Statement* start(const Sql& sql, std::initializer_list<Value> values) override;

  private:
    void refuse_broken() const;
    void leave_savepoint();

    Connection& connection_;
    Access access_;
    std::uint8_t before_;
    std::int64_t changes_before_;
    int depth_ = 0;
};

}  // namespace openrd::db::sqlite
