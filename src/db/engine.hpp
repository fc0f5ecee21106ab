#pragma once
// The database as the rest of openrd sees it: transactions, statements, and one rule: a write is answered after its commit.
// One SQL text serves every engine: parameters are $1..$9, types are TEXT, BIGINT and BLOB, times are milliseconds.
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace openrd::db {

// The text of a statement; /*for update*/ at its end locks the rows that it reads where several transactions write at a time. Declare it once, as a constant beside the function
// that runs it: connections keep the prepared statement by the address of the text.
struct Sql {
    const char* text;
};

struct Bytes {
    explicit Bytes(std::string_view d) : data(d) {}
    std::string_view data;
};
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Bytes>;

inline Value optional_text(const std::optional<std::string>& text) { return text ? Value(std::string_view(*text)) : Value(nullptr); }
inline Value optional_integer(const std::optional<std::int64_t>& number) { return number ? Value(*number) : Value(nullptr); }
inline Value optional_bytes(const std::optional<std::string>& bytes) { return bytes ? Value(Bytes{*bytes}) : Value(nullptr); }

// What a statement gives, engine by engine. Owned by Rows.
class Statement {
  public:
    virtual ~Statement() = default;
    virtual bool step() = 0;  // the next row; false at the end
    virtual bool null(int column) const = 0;
    virtual std::int64_t integer(int column) const = 0;
    virtual std::string_view text(int column) const = 0;   // valid until the next step
    virtual std::string_view bytes(int column) const = 0;  // valid until the next step
    virtual std::int64_t changed() const = 0;              // rows that the statement wrote
    virtual void release() noexcept = 0;                   // gives the statement back to its connection
};

// The rows of one statement, forward only. Releases the statement when it goes.
class [[nodiscard]] Rows {
  public:
    explicit Rows(Statement* statement) : statement_(statement) {}
    Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Rows& operator=(Rows&&) = delete;
    ~Rows() {
        if (statement_) statement_->release();
    }

    bool next() { return statement_->step(); }
    bool null(int column) const { return statement_->null(column); }
    std::int64_t integer(int column) const { return statement_->integer(column); }
    std::string text(int column) const { return std::string(statement_->text(column)); }
    std::string bytes(int column) const { return std::string(statement_->bytes(column)); }
    std::string_view text_view(int column) const { return statement_->text(column); }  // valid until next()
    std::optional<std::string> optional_text(int column) const { return null(column) ? std::nullopt : std::optional(text(column)); }
    std::optional<std::string> optional_bytes(int column) const { return null(column) ? std::nullopt : std::optional(bytes(column)); }
    std::optional<std::int64_t> optional_integer(int column) const { return null(column) ? std::nullopt : std::optional(integer(column)); }

  private:
    Statement* statement_;
};

enum class Trouble : std::uint8_t {
    unavailable,  // full disk, lost connection, read-only: nothing was done, try again later
    conflict,     // a constraint refused a row
    damaged,      // the file is not a database, or not ours
    newer,        // made by a newer openrd
    programming,  // a statement is wrong
};

class Error : public std::runtime_error {
  public:
    Error(Trouble trouble, const std::string& what) : std::runtime_error(what), trouble_(trouble) {}
    Trouble trouble() const { return trouble_; }

  private:
    Trouble trouble_;
};

// What a commit changed, for those who keep copies or wait for work.
enum class Topic : std::uint8_t {
    identities = 1,  // accounts, users, roles, keys, policies, who stands where in which directory
    outbox = 2,
    audit = 4,
};

class Transaction {
  public:
    virtual ~Transaction() = default;

    // Runs a statement that gives rows.
    Rows query(const Sql& sql, std::initializer_list<Value> values = {}) { return Rows(start(sql, values)); }
    // Runs a statement to its end and says how many rows it wrote.
    std::int64_t run(const Sql& sql, std::initializer_list<Value> values = {});

    // Runs a statement whose count nobody asks for. An engine behind a network does not wait for it: what it has to say against it is
    // said by the next statement that is waited for, or by the commit.
    virtual void post(const Sql& sql, std::initializer_list<Value> values = {}) { run(sql, values); }

    virtual bool writable() const = 0;
    // As Engine::shared().
    virtual bool shared() const { return false; }
    // What works before this one have changed in the same transaction of the database: not committed yet, so in no generation.
    virtual bool changed_before(Topic) const { return false; }
    void changed(Topic topic) { topics_ |= static_cast<std::uint8_t>(topic); }
    std::uint8_t topics() const { return topics_; }

    // Rows written since the transaction began, rolled back ones included: whether a part wrote anything at all.
    virtual std::int64_t writes() const = 0;

    virtual void savepoint() = 0;
    virtual void release_savepoint() = 0;
    virtual void rollback_to_savepoint() = 0;  // and releases it

  protected:
    virtual Statement* start(const Sql& sql, std::initializer_list<Value> values) = 0;
    std::uint8_t topics_ = 0;
};

// Rolled back unless kept: the scope of one part of a transaction.
class Savepoint {
  public:
    explicit Savepoint(Transaction& transaction) : transaction_(&transaction) { transaction.savepoint(); }
    Savepoint(const Savepoint&) = delete;
    Savepoint& operator=(const Savepoint&) = delete;
    ~Savepoint();
    void keep() { std::exchange(transaction_, nullptr)->release_savepoint(); }
    void undo() { std::exchange(transaction_, nullptr)->rollback_to_savepoint(); }

  private:
    Transaction* transaction_;
};

// The bound of house.md 5 and docs/cluster.md for what another server has changed.
inline constexpr std::int64_t stale_at_most_ms = 500;

enum class Outcome : std::uint8_t {
    committed,
    overloaded,   // the queue is full: nothing was done
    unavailable,  // full disk or the like: nothing was done
    failed,       // the work threw: nothing was done
};

// How long a work may take, and how to find out what became of it.
struct Terms {
    using Time = std::chrono::steady_clock;
    // Past it the work is not begun, and what has begun waits for nothing more in the database: `unavailable`, nothing was done.
    Time::time_point until = Time::time_point::max();
    // For an engine whose word about a commit can be lost on the way. Runs in a transaction of its own, on another connection: whether the
    // work was committed. It settles that for good: when it says no, the lost transaction cannot be committed any more either (it
    // writes what the lost one must have written). Without it, or when it cannot be asked, the answer is `unavailable`.
    std::function<bool(Transaction&)> was_committed = {};
};

class Engine {
  public:
    using Work = std::function<void(Transaction&)>;
    // Called once, after the commit or when it is certain that there is none; on a thread of the engine, which it must not block.
    // `error` is what the work threw, or with `unavailable` an Error that says why.
    using Done = std::function<void(Outcome, std::exception_ptr error)>;

    virtual ~Engine() = default;

    // Runs `work` at once, on this thread, on one snapshot of the data. Throws what the work throws, and Error. `work` may be run
    // again, as in write().
    virtual void read(const Work& work) = 0;
    // Whether read() costs less than asking another thread for it: no network, nothing to wait for.
    virtual bool reads_at_once() const { return true; }
    // Runs `work` as read() does and then `done`: here where reads_at_once(), otherwise on a thread of the engine.
    virtual void read_apart(Work work, Done done, Terms::Time::time_point until);

    // Runs `work` later, alone or among others in one transaction, each undone by itself when it throws.
    // `work` may be run again when the engine has to repeat the transaction: it must not keep state between runs.
    virtual void write(Work work, Done done, Terms terms) = 0;
    void write(Work work, Done done) { write(std::move(work), std::move(done), Terms()); }

    // The same, and waits. Throws Error(unavailable) for a full queue or a failed commit, and what the work threw.
    void write_and_wait(const Work& work);

    // Whether other servers may work on the same database at the same time: then what one process remembers decides nothing.
    virtual bool shared() const { return false; }

    // Grows with every commit that touched the topic, also those of other processes (then within 100 ms of a read; on a shared
    // database it grows by itself, so that a copy of identities is never older than stale_at_most_ms). Whoever keeps a copy takes it before the read() that fills the copy, never
    // within: a snapshot may be older than what is said there.
    virtual std::uint64_t generation(Topic topic) const = 0;
    // Called after a commit that touched the topic, on a thread of the engine: wake somebody and return.
    virtual void on_commit(Topic topic, std::function<void()> wake) = 0;

    // This thread is about to wait: let go of its snapshot.
    virtual void idle() = 0;

    // Writes waiting in the queue.
    virtual std::size_t backlog() const = 0;
    // Finishes the queue, then closes. No call may come after it.
    virtual void close() = 0;
};

}  // namespace openrd::db
