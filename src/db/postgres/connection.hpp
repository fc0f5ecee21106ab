#pragma once
// One connection to the server, always in pipeline mode: commands are queued, and one round trip sends all of them and brings all of
// their results. One thread at a time may use it.
#include "db/engine.hpp"
#include "db/postgres/errors.hpp"
#include "db/postgres/result.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace openrd::db::postgres {

struct Target {
    std::string url;
    // Of a request: no statement takes longer than this, none waits for a lock longer than half of it.
    std::int64_t deadline_ms = 10'000;
};

// The URL without its password and query, for messages.
std::string shown(const std::string& url);

class Connection {
  public:
    using Time = Terms::Time::time_point;

    // Connects to the first host that answers and takes writes, two seconds for each unless the URL says otherwise. Throws Lost, or Error(unavailable)
    // for a URL that cannot be read.
    explicit Connection(const Target& target);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Queues a command. Its result is only looked at for errors.
    void post(const Sql& sql, std::initializer_list<Value> values = {});
    // Sends what is queued and this one, waits for all, and gives this one's result. Throws ServerError for this one's failure, Lost,
    // and Error(programming or unavailable) when one that was queued before has failed: see queue_failed().
    Result ask(const Sql& sql, std::initializer_list<Value> values, Time until);
    // Sends what is queued and waits; the last result.
    Result settle(Time until);
    // Sends what is queued and does not wait: the results are taken in before the next ones.
    void send_off();
    // Runs text that is not kept and gives the results as they come in the binary form: migrations and settings.
    Result run_text(const std::string& text, Time until);

    // A posted command failed in the last exchange, so that those behind it were not run: the transaction cannot be trusted.
    bool queue_failed() const { return queue_failed_; }
    bool lost() const { return lost_; }
    // Since the last call of this: the server gave a warning (at COMMIT: it is not certain that the commit is safe on a standby).
    bool warned();
    void drop_queued() { queued_.clear(); }

    // Marks it as one that the pool is not to keep.
    void give_up() { lost_ = true; }

  private:
    enum class Kind : std::uint8_t { command, prepare };
    struct Sent {
        Kind kind;
        const char* text;  // of the statement
    };
    struct Queued {
        const char* text;
        std::string values;              // one after the other
        std::vector<std::int32_t> ends;  // where each ends in `values`; -1: NULL
        std::vector<int> binary;
    };

    void connect(const Target& target);
    void set_up(const Target& target);
    static void hold(Queued& queued, std::initializer_list<Value> values);
    static std::string in_dialect(const char* text);
    void send(const Queued& queued);
    void send_all();
    Result collect(Time until);
    Result next_result(Time until);
    void wait(Time until);
    [[noreturn]] void fail(const std::string& what);
    static void on_notice(void* self, const PGresult* notice);

    PGconn* handle_ = nullptr;
    std::unordered_map<const char*, std::string> kept_;  // the names of prepared statements, by the address of the text
    std::uint64_t names_ = 0;
    std::vector<Queued> queued_;
    std::vector<Sent> sent_;  // whose results are not taken in yet, in order
    std::size_t owed_ = 0;    // synchronisation points that send_off() has left
    std::string where_;
    bool lost_ = false, queue_failed_ = false, warned_ = false;
};

}  // namespace openrd::db::postgres
