#include "db/sqlite/writer.hpp"

#include "db/sqlite/transaction.hpp"

#include <pthread.h>

#include <utility>

namespace openrd::db::sqlite {
namespace {

constexpr Sql begin_immediate{"BEGIN IMMEDIATE"};
constexpr Sql commit_all{"COMMIT"};
constexpr Sql set_work{"SAVEPOINT work"};
constexpr Sql keep_work{"RELEASE work"};
constexpr Sql undo_work{"ROLLBACK TO work"};
constexpr Sql version_of_data{"PRAGMA data_version"};

// When only its sync failed, a failed commit stands in the log whole: nobody sees it, and a crash would bring it back, after it was
// said that nothing was done. A commit that changes nothing, and that asks for no sync, is written over it.
void cover_failed_commit(const std::string& path) {
    try {
        Connection(path, Use::writing, false).execute("PRAGMA user_version = 0");
    } catch (const std::exception&) {
        // What cannot be written now could not be written before.
    }
}

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection, Changes& changes, Housekeeper& housekeeper, Readers& readers, std::size_t queue_limit, const LogLimits& limits)
    : changes_(changes), housekeeper_(housekeeper), readers_(readers), queue_limit_(queue_limit), finish_above_(limits.finish_above), connection_(std::move(connection)),
      data_version_(connection_->integer(version_of_data)), finish_next_above_(finish_above_), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "db-writer");
}

Writer::~Writer() {
    finish();
    close();
}

void Writer::write(Engine::Work work, Engine::Done done, Terms::Time::time_point until) {
    Outcome refused = Outcome::unavailable;
    {
        const std::lock_guard lock(queue_mutex_);
        if (!finishing_ && queue_.size() < queue_limit_) {
            queue_.push_back({.work = std::move(work), .done = std::move(done), .until = until});
            if (waiting_) came_.notify_one();
            return;
        }
        if (!finishing_) refused = Outcome::overloaded;
    }
    if (done) done(refused, nullptr);
}

std::size_t Writer::backlog() const {
    const std::lock_guard lock(queue_mutex_);
    return queue_.size();
}

void Writer::finish() {
    {
        const std::lock_guard lock(queue_mutex_);
        finishing_ = true;
        came_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void Writer::close() {
    const std::lock_guard lock(connection_mutex_);
    if (connection_) connection_->checkpoint();
    connection_.reset();
}

void Writer::look_around() {
    const std::unique_lock lock(connection_mutex_, std::try_to_lock);
    if (!lock || !connection_) return;
    try {
        if (!others_wrote()) return;
    } catch (const Error&) {
        return;  // whoever reads or writes next is told
    }
    changes_.announce(Changes::every_topic);
    housekeeper_.wake(Changes::every_topic);
}

bool Writer::others_wrote() { return std::exchange(data_version_, connection_->integer(version_of_data)) != data_version_; }

void Writer::run() {
    Batch batch;
    batch.reserve(batch_works);
    for (;;) {
        {
            std::unique_lock lock(queue_mutex_);
            waiting_ = true;
            came_.wait(lock, [this] { return !queue_.empty() || finishing_; });
            waiting_ = false;
            if (queue_.empty()) return;
        }
        run_batch(batch);
        answer(batch);
        batch.clear();
        changes_.wake(std::exchange(topics_of_others_, std::uint8_t{0}) | topics_);
        tidy();
    }
}

bool Writer::take(Batch& batch) {
    const std::lock_guard lock(queue_mutex_);
    if (queue_.empty() || batch.size() >= batch_works) return false;
    while (!queue_.empty() && batch.size() < batch_works) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return true;
}

void Writer::run_batch(Batch& batch) {
    const std::lock_guard lock(connection_mutex_);
    topics_ = 0;
    take(batch);
    connection_->mend();
    if (begin() && run_works(batch) && commit()) {
        commits_.fetch_add(1, std::memory_order_relaxed);
        changes_.announce(topics_);
        housekeeper_.committed(connection_->wal_frames());
    } else {
        connection_->roll_back();
        topics_ = 0;
        call_off(batch);
    }
}

bool Writer::begin() {
    try {
        connection_->run(begin_immediate);
        if (others_wrote()) {
            topics_of_others_ = Changes::every_topic;
            changes_.announce(topics_of_others_);
        }
        return true;
    } catch (const Error& error) {
        trouble_ = error;
        return false;
    }
}

// Works that come while others run join them: one more look before the commit is worth a tenth of the throughput.
bool Writer::run_works(Batch& batch) {
    std::size_t next = 0;
    do {
        for (; next < batch.size(); ++next)
            if (!run_one(batch[next])) return false;
    } while (take(batch));
    return true;
}

// False when the whole transaction is lost.
bool Writer::run_one(Item& item) {
    if (item.until != Terms::Time::time_point::max() && Terms::Time::now() > item.until) {
        item.outcome = Outcome::failed;
        item.error = std::make_exception_ptr(Error(Trouble::unavailable, "it has waited too long for the database"));
        return true;
    }
    try {
        connection_->run(set_work);
        OpenTransaction transaction(*connection_, OpenTransaction::Access::writes, topics_);
        item.work(transaction);
        if (transaction.open_savepoints() != 0) throw Error(Trouble::programming, "a work left a savepoint open");
        if (whole()) {
            connection_->run(keep_work);
            item.outcome = Outcome::committed;
            topics_ |= transaction.topics();
            return true;
        }
    } catch (...) { item.error = std::current_exception(); }
    if (!whole()) return false;
    item.outcome = Outcome::failed;
    try {
        connection_->run(undo_work);
        connection_->run(keep_work);
    } catch (const Error& error) {
        trouble_ = error;
        return false;
    }
    return true;
}

bool Writer::whole() {
    if (connection_->broken()) {
        trouble_ = connection_->broken();
    } else if (!connection_->in_transaction()) {
        trouble_ = Error(Trouble::programming, "a work ended the transaction");
    } else {
        return true;
    }
    return false;
}

bool Writer::commit() {
    try {
        connection_->run(commit_all);
        return true;
    } catch (const Error& error) { trouble_ = error; }
    connection_->roll_back();
    cover_failed_commit(connection_->path());
    return false;
}

void Writer::call_off(Batch& batch) {
    const std::string why = trouble_ ? trouble_->what() : "the transaction was broken off";
    for (Item& item : batch) {
        if (item.outcome == Outcome::failed) continue;
        item.outcome = Outcome::unavailable;
        item.error = std::make_exception_ptr(Error(Trouble::unavailable, why));  // one for each, as they go to different threads
    }
    trouble_.reset();
}

void Writer::answer(Batch& batch) {
    for (Item& item : batch) {
        if (!item.done) continue;
        try {
            item.done(item.outcome, std::move(item.error));
        } catch (...) {
            // It is the caller's answer; the commit stands, and the others wait for theirs.
        }
    }
}

void Writer::tidy() {
    const int frames = connection_->wal_frames();
    if (frames <= finish_above_) finish_next_above_ = finish_above_;
    if (frames <= finish_next_above_) return;
    finish_next_above_ = frames + finish_above_ / 8;  // if a reader keeps the log from beginning anew, not at each commit
    const std::lock_guard lock(connection_mutex_);
    const auto alone = housekeeper_.no_checkpoint();
    // The next commit begins the WAL anew if all of it was copied and nobody reads from it: those at rest let go of it, those at
    // work do when they read next.
    changes_.end_epoch();
    readers_.let_go(0);
    connection_->checkpoint();
    changes_.end_epoch();
    readers_.let_go(0);
}

}  // namespace openrd::db::sqlite
