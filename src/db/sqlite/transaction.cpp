#include "db/sqlite/transaction.hpp"

namespace openrd::db::sqlite {
namespace {

// The same name for all: SQLite means the innermost one.
constexpr Sql set{"SAVEPOINT part"};
constexpr Sql keep{"RELEASE part"};
constexpr Sql undo{"ROLLBACK TO part"};

}  // namespace

void OpenTransaction::refuse_broken() const {
    if (connection_.broken() || !connection_.in_transaction()) throw Error(Trouble::unavailable, "the transaction was broken off");
}

void OpenTransaction::leave_savepoint() {
    if (depth_ == 0) throw Error(Trouble::programming, "there is no savepoint");
    --depth_;
}

void OpenTransaction::savepoint() {
    refuse_broken();
    connection_.run(set);
    ++depth_;
}

void OpenTransaction::release_savepoint() {
    leave_savepoint();
    refuse_broken();
    connection_.run(keep);
}

void OpenTransaction::rollback_to_savepoint() {
    leave_savepoint();
    if (connection_.broken() || !connection_.in_transaction()) return;  // all of it is undone anyway
    connection_.run(undo);
    connection_.run(keep);
}

Statement* OpenTransaction::start(const Sql& sql, std::initializer_list<Value> values) {
    refuse_broken();
    Prepared& statement = connection_.prepared(sql);
    if (access_ == Access::reads && !statement.only_reads()) throw Error(Trouble::programming, "a statement that writes in a read transaction: " + std::string(sql.text));
    statement.begin(values);
    return &statement;
}

}  // namespace openrd::db::sqlite
