#include "db/engine.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace openrd::db {
namespace {

struct Release {
    void operator()(Statement* statement) const noexcept { statement->release(); }
};

// What a waiting caller and the engine's thread share; the later of the two to let go takes it away.
struct Answer {
    std::mutex mutex;
    std::condition_variable given;
    std::optional<Outcome> outcome;
    std::exception_ptr error;
};

}  // namespace

std::int64_t Transaction::run(const Sql& sql, std::initializer_list<Value> values) {
    const std::unique_ptr<Statement, Release> statement(start(sql, values));
    while (statement->step()) {}
    return statement->changed();
}

Savepoint::~Savepoint() {
    if (!transaction_) return;
    try {
        transaction_->rollback_to_savepoint();
    } catch (const std::exception&) {
        // An engine that could not undo a part does not commit the whole; an exception may be on its way already.
    }
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): an engine that reads on another thread keeps them
void Engine::read_apart(Work work, Done done, Terms::Time::time_point) {
    Outcome outcome = Outcome::committed;
    std::exception_ptr error;
    try {
        read(work);
    } catch (...) {
        outcome = Outcome::failed;
        error = std::current_exception();
    }
    done(outcome, std::move(error));
}

void Engine::write_and_wait(const Work& work) {
    const auto answer = std::make_shared<Answer>();
    write([&work](Transaction& transaction) { work(transaction); },
          [answer](Outcome outcome, std::exception_ptr error) {
              const std::lock_guard lock(answer->mutex);
              answer->outcome = outcome;
              answer->error = std::move(error);
              answer->given.notify_one();
          });
    std::unique_lock lock(answer->mutex);
    answer->given.wait(lock, [&] { return answer->outcome.has_value(); });
    // Taken out, so that the last to hold the exception is the one who handles it.
    if (auto error = std::exchange(answer->error, nullptr)) std::rethrow_exception(std::move(error));
    if (*answer->outcome == Outcome::overloaded) throw Error(Trouble::unavailable, "too many writes are waiting");
    if (*answer->outcome != Outcome::committed) throw Error(Trouble::unavailable, "the write could not be committed");
}

}  // namespace openrd::db
