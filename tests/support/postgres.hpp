#pragma once
// A PostgreSQL cluster of a test's own: made from Debian's binaries in a temporary directory, on a free port of 127.0.0.1, run by
// an unprivileged user, gone with the test process whatever becomes of it. The system's own cluster is never looked at.
//
//   if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
//   const PostgresDatabase database;            // in the process's one cluster, which starts at the first need
//   auto engine = db::open({.url = database.url()});
//
// Start clusters on the main thread: the kernel ends a server when the thread that started it ends.
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::tests {

struct PostgresOptions {
    bool fsync = false;                      // true: a commit is on disk; for tests that kill the machine, not only the server
    std::vector<std::string> settings = {};  // lines of postgresql.conf
};

class PostgresCluster {
  public:
    using Row = std::vector<std::string>;  // NULL is empty

    // Why no cluster can be started here; empty: one can.
    static std::string missing();
    // The cluster that the tests of one process share.
    static PostgresCluster& shared();

    explicit PostgresCluster(PostgresOptions options = {});
    PostgresCluster(const PostgresCluster&) = delete;
    PostgresCluster& operator=(const PostgresCluster&) = delete;
    ~PostgresCluster();

    // A hot standby, copied from this one and following it. From now on every commit here waits until it is there as well.
    std::unique_ptr<PostgresCluster> synchronous_standby();
    // Makes a standby the primary; returns when it takes writes.
    void promote();

    // As the role `openrd`, which owns the databases and may nothing else.
    std::string url(std::string_view database) const;
    // The same, on any port: of a proxy before this server.
    std::string url(std::string_view database, int port) const;
    // Whichever of the two takes writes.
    static std::string url(std::string_view database, int one_port, int other_port, const PostgresCluster& of);
    // As the superuser.
    std::string admin_url(std::string_view database) const;
    int port() const { return port_; }

    // Runs SQL as the superuser; the rows of the last statement. Throws std::runtime_error with the server's words.
    std::vector<Row> ask(std::string_view database, const std::string& sql);
    // The first field of the first row, or nothing at all as "".
    std::string ask_one(std::string_view database, const std::string& sql);
    // For every session from now on, and those that are open: ALTER SYSTEM.
    void set(const std::string& name, const std::string& value);

    // `like` is the database to copy; `more` goes to the end of CREATE DATABASE.
    void create_database(const std::string& name, const std::string& like = "template0", const std::string& more = "ENCODING 'UTF8' LOCALE 'C'");
    void drop_database(const std::string& name);
    // From now on every statement that writes fails as on a full disk (53100), or no longer.
    void pretend_full_disk(const std::string& database, bool full);

    bool running();
    void start();
    // Sessions are broken off, what was committed is on disk.
    void stop();
    // Every process of the server killed at once, as when the machine dies.
    void crash();
    void restart() { stop(), start(); }
    std::string log() const;

  private:
    struct FollowTag {};
    PostgresCluster(FollowTag, PostgresCluster& primary);
    std::string data() const { return directory_ + "/data"; }
    void configure(bool fsync, const std::vector<std::string>& settings) const;
    void start_somewhere();
    bool start_once();
    bool wait_for_end(int seconds);

    std::string directory_;
    std::string password_;
    int port_ = 0;
    pid_t pid_ = 0;
    std::vector<std::string> emptied_;  // databases that were used, for others
    friend class PostgresDatabase;
};

// An empty database of its own in the process's cluster (or another one), in UTF-8 and the order of bytes. On one thread at a time.
class PostgresDatabase {
  public:
    explicit PostgresDatabase(PostgresCluster& cluster = PostgresCluster::shared());
    PostgresDatabase(const PostgresDatabase&) = delete;
    PostgresDatabase& operator=(const PostgresDatabase&) = delete;
    ~PostgresDatabase();

    const std::string& name() const { return name_; }
    std::string url() const { return cluster_.url(name_); }
    PostgresCluster& cluster() const { return cluster_; }

  private:
    PostgresCluster& cluster_;
    std::string name_;
};

}  // namespace openrd::tests
