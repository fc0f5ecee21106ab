#pragma once
// The rows of one statement, as they came in whole.
#include "db/engine.hpp"
#include "db/postgres/libpq.hpp"

#include <memory>
#include <string>

namespace openrd::db::postgres {

struct Clear {
    void operator()(PGresult* result) const noexcept { Libpq::get().clear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

// Values are in the binary form: integers of 2, 4 and 8 bytes, text and bytea as they are. Whatever else a statement gives is a
// mistake in the statement (a sum of BIGINT is NUMERIC: cast it).
class ResultRows final : public Statement {
  public:
    void begin(Result result);
    bool busy() const { return result_ != nullptr; }

    bool step() override;
    bool null(int column) const override;
    std::int64_t integer(int column) const override;
    std::string_view text(int column) const override;
    std::string_view bytes(int column) const override;
    std::int64_t changed() const override { return changed_; }
    void release() noexcept override { result_.reset(); }

  private:
    void check(int column) const;
    std::string_view raw(int column) const;

    Result result_;
    int row_ = -1, rows_ = 0, columns_ = 0;
    std::int64_t changed_ = 0;
};

}  // namespace openrd::db::postgres
