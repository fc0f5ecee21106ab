#include "db/postgres/engine.hpp"

#include "base/log.hpp"
#include "db/postgres/schema.hpp"

#include <pthread.h>

#include <algorithm>
#include <random>
#include <utility>

namespace openrd::db::postgres {
namespace {

using Clock = Terms::Time;
using std::chrono::milliseconds;

// A transaction that others have overtaken so often is refused: nothing was done.
constexpr int tries = 16;

// Spread out, so that those who have collided do not collide again.
void pause_before_try(int n) {
    thread_local std::minstd_rand random{static_cast<std::uint32_t>(Clock::now().time_since_epoch().count())};
    const int most_ms = std::min(1 << std::min(n, 5), 32);
    std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution<int>(100, most_ms * 1000)(random)));
}

bool worth_another_try(const std::exception& error) {
    if (dynamic_cast<const Lost*>(&error)) return true;
    const auto* server = dynamic_cast<const ServerError*>(&error);
    return server && (server->repeatable() || server->fatal());
}

std::string why(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) { return e.what(); } catch (...) {
        return "an exception of another kind";
    }
}

}  // namespace

Engine::Engine(Target target, std::size_t workers, std::size_t queue_limit)
    : pool_(std::move(target), workers + 2), queue_limit_(queue_limit), writers_(std::max<std::size_t>(workers - workers / 8, 1)) {
    for (std::size_t i = 0; i < workers; ++i) {
        workers_.emplace_back([this] { run(); });
        pthread_setname_np(workers_.back().native_handle(), "db-worker");
    }
}

void Engine::close() {
    {
        const std::lock_guard lock(queue_mutex_);
        finishing_ = true;
        came_.notify_all();
    }
    for (std::thread& worker : workers_)
        if (worker.joinable()) worker.join();
    pool_.forget_idle();
}

std::uint64_t Engine::generation(Topic topic) const {
    const auto own = changes_.generation(topic);
    if (topic != Topic::identities) return own;
    // What other servers change is not announced: a copy is simply never older than the bound.
    const auto now_ms = std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch()).count();
    return own + static_cast<std::uint64_t>(now_ms / stale_at_most_ms);
}

std::size_t Engine::backlog() const {
    const std::lock_guard lock(queue_mutex_);
    return writes_.size();
}

Connection::Time Engine::latest(const Terms& terms) const { return std::min(terms.until, Clock::now() + milliseconds(pool_.target().deadline_ms)); }

// --- the queue -----------------------------------------------------------------------------------------------------------------

void Engine::enqueue(Item item) {
    {
        const std::lock_guard lock(queue_mutex_);
        auto& queue = item.writes ? writes_ : reads_;
        if (!finishing_ && queue.size() < queue_limit_) {
            queue.push_back(std::move(item));
            came_.notify_one();
            return;
        }
        item.outcome = finishing_ ? Outcome::unavailable : Outcome::overloaded;
    }
    if (item.done) item.done(item.outcome, nullptr);
}

void Engine::write(Work work, Done done, Terms terms) { enqueue({.work = std::move(work), .done = std::move(done), .terms = std::move(terms), .writes = true}); }

void Engine::read_apart(Work work, Done done, Terms::Time::time_point until) {
    enqueue({.work = std::move(work), .done = std::move(done), .terms = {.until = until, .was_committed = {}}, .writes = false});
}

bool Engine::take(Item& item) {
    std::unique_lock lock(queue_mutex_);
    const auto may_write = [this] { return !writes_.empty() && writing_ < writers_; };
    came_.wait(lock, [&] { return may_write() || !reads_.empty() || (finishing_ && writes_.empty()); });
    if (!reads_.empty()) {
        item = std::move(reads_.front());
        reads_.pop_front();
    } else if (may_write()) {
        item = std::move(writes_.front());
        writes_.pop_front();
        ++writing_;
    } else {
        return false;
    }
    return true;
}

void Engine::run() {
    for (Item item; take(item);) {
        if (Clock::now() > item.terms.until) {
            item.outcome = Outcome::failed;
            item.error = std::make_exception_ptr(Error(Trouble::unavailable, "it has waited too long for the database"));
        } else if (item.writes) {
            run_write(item);
        } else {
            try {
                run_read(item.work, latest(item.terms));
                item.outcome = Outcome::committed;
            } catch (...) {
                item.outcome = Outcome::failed;
                item.error = std::current_exception();
            }
        }
        if (item.writes) {
            const std::lock_guard lock(queue_mutex_);
            --writing_;
            came_.notify_one();
        }
        try {
            if (item.done) item.done(item.outcome, std::move(item.error));
        } catch (...) {
            // It is the caller's answer; what was committed stands.
        }
        changes_.wake(item.topics);
        item = {};
    }
}

// --- reading -------------------------------------------------------------------------------------------------------------------

void Engine::read(const Work& work) { run_read(work, latest({})); }

void Engine::run_read(const Work& work, Connection::Time until) {
    const OneStatementReads* known = &one_statement_reads_;
    for (int n = 0;; ++n) {
        const auto connection = pool_.borrow(until);
        OpenTransaction transaction(*connection, Access::snapshot, until, known);
        try {
            work(transaction);
            transaction.end_read();
            if (transaction.first_statement()) one_statement_reads_.learn(transaction.first_statement(), transaction.statements() == 1);
            return;
        } catch (const MoreThanOneStatement&) {
            one_statement_reads_.learn(transaction.first_statement(), false);
            known = nullptr;
        } catch (const std::exception& error) {
            transaction.roll_back();
            if (connection->lost()) pool_.forget_idle();
            if (n >= 2 || !worth_another_try(error) || Clock::now() >= until) throw;
        } catch (...) {
            transaction.roll_back();  // whatever was thrown, the connection goes back without a transaction
            throw;
        }
    }
}

// --- writing -------------------------------------------------------------------------------------------------------------------

void Engine::run_write(Item& item) {
    const auto until = latest(item.terms);
    for (int n = 0;; ++n) {
        item.topics = 0;
        item.error = nullptr;
        bool again = false;
        try {
            try_write(item, until);
        } catch (const std::exception& error) {
            item.outcome = Outcome::failed;
            item.error = std::current_exception();
            again = worth_another_try(error);
        } catch (...) {
            item.outcome = Outcome::failed;
            item.error = std::current_exception();
        }
        if (!again) return;
        if (n + 1 >= tries || Clock::now() >= until) {
            const auto last = why(item.error);
            item.error = std::make_exception_ptr(Error(Trouble::unavailable, "tried too often: " + last));
            return;
        }
        pause_before_try(n);
    }
}

// Throws what the work threw, or why it cannot be done; then nothing was done.
void Engine::try_write(Item& item, Connection::Time until) {
    std::string in_doubt;
    {
        const auto connection = pool_.borrow(until);
        OpenTransaction transaction(*connection, Access::writes, until);
        try {
            item.work(transaction);
            if (transaction.doomed()) std::rethrow_exception(transaction.doomed());
            if (transaction.open_savepoints() != 0) throw Error(Trouble::programming, "a work left a savepoint open");
        } catch (...) {
            transaction.roll_back();
            if (connection->lost()) pool_.forget_idle();
            // What the work made of it does not matter: the transaction is lost, and can be tried again.
            if (transaction.doomed()) std::rethrow_exception(transaction.doomed());
            throw;
        }
        try {
            if (transaction.commit()) in_doubt = "the server warned at the commit";
        } catch (const Lost& lost) {
            pool_.forget_idle();
            in_doubt = lost.what();
        } catch (...) {
            transaction.roll_back();
            if (connection->lost()) pool_.forget_idle();
            throw;
        }
        item.topics = transaction.topics();
    }
    item.outcome = Outcome::committed;
    if (!in_doubt.empty()) settle_unknown(item, in_doubt);
    changes_.announce(item.topics);
}

// The commit was asked for and the answer did not come, or came with a warning.
void Engine::settle_unknown(Item& item, const std::string& in_doubt) {
    base::log::warning("the answer to a commit is missing", {{"reason", in_doubt}});
    item.outcome = Outcome::unavailable;
    item.error = std::make_exception_ptr(Error(Trouble::unavailable, "it is not known whether the commit took place: " + in_doubt));
    if (!item.terms.was_committed) return;
    const auto until = std::max(latest(item.terms), Clock::now() + milliseconds(pool_.target().deadline_ms / 2));
    for (int n = 0; Clock::now() < until; ++n) {
        try {
            const auto connection = pool_.borrow(until);
            OpenTransaction transaction(*connection, Access::writes, until);
            try {
                const bool committed = item.terms.was_committed(transaction);
                // It has written: once its own commit is safe, so is everything before it.
                if (transaction.commit()) throw Lost("the server warned at the commit");
                if (committed) {
                    item.outcome = Outcome::committed;
                    item.error = nullptr;
                } else {
                    item.error = std::make_exception_ptr(Error(Trouble::unavailable, "the commit did not take place: " + in_doubt));
                }
                return;
            } catch (...) {
                transaction.roll_back();
                throw;
            }
        } catch (const std::exception&) { std::this_thread::sleep_for(milliseconds(std::min(20 << std::min(n, 5), 500))); }
    }
}

// --- opening -------------------------------------------------------------------------------------------------------------------

std::unique_ptr<Engine> open(const OpenOptions& options, std::span<const embedded::File> migrations) {
    const Target target{.url = options.url, .deadline_ms = options.deadline_ms};
    {
        Connection connection(target);
        const bool was_there = applied_version(connection) != 0;
        if (was_there && options.before_migrations) look_at(connection, options.before_migrations);
        migrate(connection, migrations_for(Dialect::postgres, migrations), options.create, options.first_content);
        if (!was_there && options.before_migrations) look_at(connection, options.before_migrations);
    }
    return std::make_unique<Engine>(target, std::max<std::size_t>(options.connections, 1), std::max<std::size_t>(options.write_queue, 1));
}

MigrationState migration_state(const std::string& url, std::span<const embedded::File> migrations) {
    Connection connection({.url = url});
    const auto known = migrations_for(Dialect::postgres, migrations);
    return {.known = known.empty() ? 0 : known.back().version, .applied = applied_version(connection)};
}

int migrate(const std::string& url, std::span<const embedded::File> migrations) {
    Connection connection({.url = url});
    return migrate(connection, migrations_for(Dialect::postgres, migrations), false, {});
}

}  // namespace openrd::db::postgres
