#pragma once
// A prepared statement. It belongs to a connection, which keeps it for the next use.
#include "db/engine.hpp"

#include <initializer_list>
#include <string>
#include <vector>

struct sqlite3_stmt;

namespace openrd::db::sqlite {

class Connection;

class Prepared final : public Statement {
  public:
    Prepared(Connection& connection, const char* text);
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;
    ~Prepared() override;

    // Between begin() and release() it belongs to somebody.
    bool busy() const { return busy_; }
    // Whether it leaves the database as it is.
    bool only_reads() const;
    const char* text_of_statement() const;

    // Takes copies of the values. Throws Error(programming) when they are not as many as the statement names, busy() is then false.
    void begin(std::initializer_list<Value> values);

    bool step() override;
    bool null(int column) const override;
    std::int64_t integer(int column) const override;
    std::string_view text(int column) const override;
    std::string_view bytes(int column) const override;
    std::int64_t changed() const override { return changed_; }
    void release() noexcept override;

  private:
    void number_parameters();
    void hold(std::initializer_list<Value> values);
    int checked(int column) const;
    std::string_view held(const void* data, int column) const;

    Connection& connection_;
    sqlite3_stmt* statement_ = nullptr;
    std::vector<int> positions_;  // of $1, $2, ... by SQLite's count, which goes by first appearance
    std::string values_;          // the bytes of all values: a row may be stepped to when the caller's are long gone
    int columns_ = 0;
    bool busy_ = false;
    bool ended_ = false;
    std::int64_t changes_before_ = 0;
    std::int64_t changed_ = 0;
};

}  // namespace openrd::db::sqlite
