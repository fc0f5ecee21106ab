#pragma once
// The connections of one server of ours. They are made when they are needed, kept while they are good, and not asked for while the
// database does not answer.
#include "db/postgres/connection.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace openrd::db::postgres {

class Pool {
  public:
    Pool(Target target, std::size_t most) : target_(std::move(target)), most_(most) {}

    // A connection of the pool in use; goes back to it, or away when it is lost.
    class Loan {
      public:
        Loan(Pool& pool, std::unique_ptr<Connection> connection) : pool_(&pool), connection_(std::move(connection)) {}
        Loan(Loan&&) noexcept = default;
        Loan& operator=(Loan&&) = delete;
        ~Loan() {
            if (connection_) pool_->take_back(std::move(connection_));
        }
        Connection& operator*() const { return *connection_; }
        Connection* operator->() const { return connection_.get(); }

      private:
        Pool* pool_;
        std::unique_ptr<Connection> connection_;
    };

    // Waits for one until then. Throws Error(unavailable), at once while the database was found unreachable a moment ago (100 ms, growing to 2 s).
    Loan borrow(Connection::Time until);
    // The server went away under one connection: those that lie idle are no better.
    void forget_idle();
    const Target& target() const { return target_; }

  private:
    void take_back(std::unique_ptr<Connection> connection);

    const Target target_;
    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t made_ = 0;  // idle, in use, or being made
    std::size_t opening_ = 0;
    Connection::Time not_before_ = Connection::Time::min();
    std::int64_t pause_ms_ = 0;
    std::string trouble_;
};

}  // namespace openrd::db::postgres
